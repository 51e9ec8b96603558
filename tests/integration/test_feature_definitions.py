"""The features/ of this repository: the program reads them, and Feast plans and applies whatever they hold."""

from pathlib import Path

from components.feature_source import FOLDER
from delivery.review.markdown import code
from tests.integration.clone import CHECKOUT
from tests.integration.feature_store.store import store_of
from tests.integration.test_features import HEADING, plan


def test_feast_plans_and_applies_what_the_program_reads(tmp_path: Path) -> None:
    store = store_of(tmp_path, CHECKOUT / FOLDER)
    definitions = store.stack.definitions
    first = plan(store)
    assert first.returncode == 0, first.stderr
    assert [
        name
        for name in (*definitions.entities, *definitions.views, *definitions.services)
        if f"{code(name)}" not in first.stdout
    ] == []
    with store.redis():
        store.feast("apply", "--no-progress")
    assert plan(store).stdout == f"{HEADING}No change.\n"
