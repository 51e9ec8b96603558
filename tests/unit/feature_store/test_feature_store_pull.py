"""What rendered manifests contain for Argo CD and Flux, which do not know Pulumi's options and its order."""

from pathlib import Path
from typing import Any

import pytest

from components.kubernetes import naming
from tests.support.feature_stores import apply_job, stage
from tests.support.features import OWN_REDIS, STORE
from tests.support.projects import Objects, named, project

WAVE = "argocd.argoproj.io/sync-wave"
CLAIM = "PersistentVolumeClaim feature-store-redis"
NO_REDIS = STORE.replace(
    OWN_REDIS, "{url: 'redis://r.example.com', passwordSecret: {name: redis, key: password}}"
)


def annotations(found: dict[str, Any]) -> dict[str, str]:
    noted: dict[str, str] = found["metadata"]["annotations"]
    return noted


def waves(objects: Objects) -> dict[str, str]:
    return {name: annotations(m)[WAVE] for name, m in objects.items() if WAVE in annotations(m)}


def test_what_waits_by_push_waits_by_pull(store_objects: Objects) -> None:
    """Model `a` reads from the store, and `b` does not."""
    assert waves(store_objects) == {
        f"Job {apply_job(store_objects)['metadata']['name']}": "1",
        "Deployment feature-store": "2",
        "CronJob feature-store-materialization": "3",
        "Deployment a": "3",
    }


def test_a_wave_does_not_roll_a_pod(store_objects: Objects) -> None:
    for name in ("a", "feature-store"):
        pod = store_objects[f"Deployment {name}"]["spec"]["template"]["metadata"]
        assert WAVE not in pod.get("annotations", {})


def test_the_claim_and_its_namespace_stay(store_objects: Objects) -> None:
    for name in (CLAIM, "Namespace ml-test"):
        assert naming.kept().items() <= annotations(store_objects[name]).items()
        assert (
            annotations(store_objects[name])["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        )


@pytest.mark.parametrize(
    "store",
    [STORE.replace("install: true", "install: true, deleteData: true"), NO_REDIS],
    ids=["deleted", "none"],
)
def test_without_data_to_keep_nothing_is_kept(tmp_path: Path, store: str) -> None:
    kept = [name for name, m in named(stage(tmp_path, store=store)).items() if naming.KEEP in annotations(m)]
    assert kept == []


def test_a_stage_without_a_store_says_nothing_of_it(tmp_path: Path) -> None:
    for found in named(project(tmp_path)).values():
        assert not {WAVE, *naming.kept()} & set(annotations(found)), found["metadata"]["name"]
