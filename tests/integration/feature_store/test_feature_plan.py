"""What `features-plan` prints for a real registry, and without a plan: one line that names what to check."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from components.feature_store.feast_pod import configuration
from components.settings.feature_store import REGISTRY_URL
from sandbox.harness.clone import CHECKOUT
from sandbox.harness.feature_store.store import (
    PYTHON,
    SERVICE,
    VIEW,
    Store,
    change_definitions,
    feature_store,
)
from tests.integration.feature_store.test_features import HEADING, plan


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A separate store for the test; nothing runs, and nothing is applied."""
    return feature_store(tmp_path)


def test_a_plan_shows_what_is_new_then_nothing_then_what_changes(store: Store) -> None:
    first = plan(store)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"{HEADING}The registry is empty: this is the first time.\n")
    for kind, name in (("entity", "product"), ("feature view", VIEW), ("feature service", SERVICE)):
        assert f"new {kind} {name}\n" in first.stdout
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
    registry = (store.folder / "registry.db").read_bytes()
    assert plan(store).stdout == f"{HEADING}No change.\n"
    change_definitions(store.folder, "timedelta(days=7)", "timedelta(days=8)")
    changed = plan(store).stdout
    assert [line for line in changed.splitlines()[1:] if line and line[0] != " "] == [
        f"changed feature view {VIEW}"
    ]
    assert "  -ttl: 604800s\n  +ttl: 691200s\n" in changed
    assert (store.folder / "registry.db").read_bytes() == registry


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/registry.db", "unable to open database file"),
        ("postgresql+psycopg://feast:hidden@127.0.0.1:1/registry", "Connection refused"),
        ("nonsense:hidden", "Could not parse SQLAlchemy URL"),
        ("postgres://feast:hidden@127.0.0.1:1/registry", "Can't load plugin"),
        ("mysql://feast:hidden@127.0.0.1:1/registry", "needs a driver: No module named 'MySQLdb'"),
        ("postgresql+psycopg://feast:hidden@127.0.0.1:one/registry", "the port in its URL is not a number"),
        ("postgresql+psycopg://feast:hidden", "the port in its URL is not a number"),
        # The driver looks for the host `hidden@127.0.0.1`.
        ("postgresql+psycopg://feast:a@hidden@127.0.0.1:1/registry", "'***@127.0.0.1'"),
        ("postgresql+psycopg://feast:it's-hidden@127.0.0.1:1/registry", "must be written %27"),
    ],
)
def test_a_registry_that_cannot_be_reached_is_one_line(store: Store, url: str, reason: str) -> None:
    done = plan(store, **{REGISTRY_URL: url})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("the registry cannot be read: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_definitions_that_feast_refuses_are_one_line(store: Store) -> None:
    change_definitions(store.folder, "timedelta(days=7)", "timedelta(weeks=None)")
    done = plan(store)
    assert done.returncode == 1
    assert re.match(r"Feast refuses the definitions: features/\w+\.py:\d+: TypeError: ", done.stderr)
    assert done.stderr.count("\n") == 1


BROKEN = "from feast import FeatureView\n\n\ndef made(name):\n    return FeatureView(\n        {argument}\n    )\n\n\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("days = None\nlonger = 1 + days\n", "features/more.py:2: TypeError: unsupported operand"),
        # Feast raises, and the innermost line of the definitions is the one that called it.
        (
            BROKEN.format(argument="name=name, source=1") + "view = made('a')\n",
            'features/more.py:5: TypeCheckError: argument "source"',
        ),
        ("x = (\n", "features/more.py:1: SyntaxError: "),
        ("import nothing_of_this_name\n", "features/more.py:1: ModuleNotFoundError: No module named"),
        ("assert 1 > 2\n", "features/more.py:1: AssertionError. Fix: "),
        ("raise SystemExit(0)\n", "features/more.py:1: SystemExit: 0"),
        # What Feast finds wrong with all of them together has no line.
        (
            "from feast import FeatureView\na, b = (FeatureView(name=name) for name in ('a', 'A'))\n",
            "ConflictingFeatureViewNames: Multiple FeatureViews",
        ),
    ],
)
def test_definitions_that_feast_refuses_are_one_line_with_their_place(
    store: Store, text: str, said: str
) -> None:
    environment = {**os.environ, **store.environment}
    config = store.folder / "feature_store.yaml"
    config.write_text(configuration(store.settings, store.stack)[config.name])
    (store.folder / "features" / "more.py").write_text(text)
    command = [
        str(PYTHON),
        "-m",
        "delivery.features.feast_plan",
        str(store.folder / "features"),
        str(config),
    ]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"Feast refuses the definitions: {said.removesuffix('. Fix: ')}")
