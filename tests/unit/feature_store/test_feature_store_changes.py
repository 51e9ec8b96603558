"""What a change of a feature store rolls, runs again and leaves alone."""

from pathlib import Path

from tests.support.feature_stores import apply_job, stage
from tests.support.features import STORE, VIEWS, write_features
from tests.support.projects import Objects, named


def changed(before: Objects, after: Objects) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_version_touches_what_runs_it(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    after = named(stage(tmp_path / "b", store=STORE.replace("0.67.0", "0.68.0")))

    # A Job is immutable, so it is another one.
    assert apply_job(before)["metadata"]["name"] != apply_job(after)["metadata"]["name"]
    assert {name for name in changed(before, after) if not name.startswith("Job ")} == {
        "CronJob feature-store-materialization",
        "Deployment feature-store",
    }


def test_a_definition_runs_the_job_again_and_rolls_nothing(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    edited = VIEWS.replace("timedelta(days=1)", "timedelta(days=2)")
    folder = stage(tmp_path / "b")
    write_features(folder, views=edited)
    after = named(folder)

    assert changed(before, after) == {
        f"Job {apply_job(before)['metadata']['name']}",
        f"Job {apply_job(after)['metadata']['name']}",
        "ConfigMap feature-store-definitions",
    }


def test_a_configuration_runs_the_job_again_and_rolls_the_servers(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    after = named(stage(tmp_path / "b", more="    registryRefreshSeconds: 30\n"))

    assert "Deployment feature-store" in changed(before, after)
    assert apply_job(before)["metadata"]["name"] != apply_job(after)["metadata"]["name"]
    assert "StatefulSet feature-store-redis" not in changed(before, after)
