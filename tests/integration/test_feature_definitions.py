"""The features/ of this repository: the program reads them, and Feast plans and applies whatever they hold."""

import json
import subprocess
from pathlib import Path

from components.loading.features.modules import FOLDER
from components.loading.features.signatures import TAKEN
from components.loading.features.types import TYPES, VALUE_TYPES
from tests.integration.clone import CHECKOUT
from tests.integration.feature_store.store import PYTHON, store_of
from tests.integration.test_features import HEADING, plan


def test_feast_plans_and_applies_what_the_program_reads(tmp_path: Path) -> None:
    store = store_of(tmp_path, CHECKOUT / FOLDER)
    definitions = store.stack.definitions
    first = plan(store)
    assert first.returncode == 0, first.stderr
    assert [
        name
        for name in (*definitions.entities, *definitions.views, *definitions.services)
        if f" {name}\n" not in first.stdout
    ] == []
    with store.redis():
        store.feast("apply", "--no-progress")
    assert plan(store).stdout == f"{HEADING}No change.\n"


def test_what_is_known_of_feast_is_what_is_installed() -> None:
    program = """
import inspect, json, feast, feast.types
from feast.batch_feature_view import batch_feature_view
from feast.on_demand_feature_view import on_demand_feature_view
from feast.stream_feature_view import stream_feature_view
views = [feast.FeatureView, feast.BatchFeatureView, feast.StreamFeatureView, feast.OnDemandFeatureView]
made = [feast.Entity, feast.Field, feast.FeatureService, *views]
made += [batch_feature_view, on_demand_feature_view, stream_feature_view]
columns = feast.types.VALUE_TYPES_TO_FEAST_TYPES
print(json.dumps([
    {each.__name__: sorted(inspect.signature(each).parameters) for each in made},
    {each.name: str(columns[each]) if each in columns else None for each in feast.ValueType},
    sorted(n for n, t in vars(feast.types).items() if isinstance(t, feast.types.PrimitiveFeastType)),
]))
"""
    done = subprocess.run([PYTHON, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    signatures, columns, types = json.loads(done.stdout)
    assert {name: sorted(taken) for name, taken in TAKEN.items()} == signatures
    # Feast compares nothing with a type that is unknown.
    assert {**columns, "UNKNOWN": None} == VALUE_TYPES
    assert types == sorted(TYPES)
