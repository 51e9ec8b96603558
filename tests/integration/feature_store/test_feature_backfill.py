"""A backfill with real Feast and a real Redis, by the command of the Job that is rendered."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.harness.feature_store.store import PYTHON, VIEW, Store, change_definitions, feature_store
from tests.integration.feature_store.test_features import KETTLE
from tests.support.projects import named

HOUR = timedelta(hours=1)
NEW_FIELD = '        Field(name="positive_count", dtype=Int64),\n'
NULL = {"product_id": "kettle-01", "review_count": None, "positive_count": None}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return feature_store(tmp_path)


def backfill(store: Store, start: datetime, until: datetime) -> subprocess.CompletedProcess[str]:
    """Add the lines to the stack file, and run the command of the resulting Job."""
    stack = store.folder / "Pulumi.test.yaml"
    before = stack.read_text()
    moments = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, until)]
    lines = f'{{from: "{moments[0]}", until: "{moments[1]}", views: [{VIEW}]}}'
    models = "  ml-deployments:models:\n"
    assert models in before
    stack.write_text(before.replace(models, f"    materialization: {{backfill: {lines}}}\n{models}"))
    (job,) = [m for name, m in named(store.folder).items() if name.startswith("Job feature-store-backfill-")]
    stack.write_text(before)
    shell, option, script = job["spec"]["template"]["spec"]["containers"][0]["command"]
    # The folders of a pod are those of the test.
    script = script.replace("/tmp/over", f"{store.folder}/over").replace("/etc/feast", str(store.folder))
    return subprocess.run(
        [shell, option, script],
        env={"PATH": f"{PYTHON.parent}{os.pathsep}/usr/bin:/bin", **store.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def read(store: Store) -> dict[str, object]:
    with store.serving() as server:
        return server.read("kettle-01")


def test_a_new_field_is_null_until_a_backfill_and_newer_values_stay(store: Store) -> None:
    now = datetime.now(UTC)
    store.write_source(now - 3 * HOUR, now - HOUR)
    change_definitions(store.folder, NEW_FIELD, "")
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
        views = '        Field(name="review_count", dtype=Int64),\n'
        change_definitions(store.folder, views, views + NEW_FIELD)
        store.feast("apply", "--no-progress")
        store.materialize()
        assert read(store) == {**KETTLE, "positive_count": None}
        # The newest row is after the end of the backfill, and is read as before.
        done = backfill(store, now - 5 * HOUR, now - 2 * HOUR)
        assert done.returncode == 0, done.stdout + done.stderr
        assert read(store) == KETTLE


def test_a_redis_that_lost_its_data_is_filled(store: Store) -> None:
    now = datetime.now(UTC)
    store.write_source(now - 3 * HOUR)
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
    (store.folder / "redis").rename(store.folder / "lost")
    with store.redis():
        store.materialize()
        assert read(store) == NULL
        done = backfill(store, now - 5 * HOUR, now - HOUR)
        assert done.returncode == 0, done.stdout + done.stderr
        assert read(store) == KETTLE


def test_an_end_that_is_not_past_is_refused_and_the_next_run_is_as_before(store: Store) -> None:
    now = datetime.now(UTC)
    with store.redis():
        store.feast("apply", "--no-progress")
        done = backfill(store, now - HOUR, now + HOUR)
        assert done.returncode == 1
        assert done.stderr.endswith("is not past yet\n")
        store.materialize()
        assert read(store) == KETTLE
