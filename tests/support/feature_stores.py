"""Stages with a feature store, for tests, and ways to pick from their objects."""

from pathlib import Path
from typing import Any

from tests.support.features import STORE, write_features
from tests.support.projects import MODEL, Objects, entry, project

READS = MODEL + "features: {service: sentiment_v1}\n"


def stage(folder: Path, *, store: str = STORE, model: str = READS, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    write_features(folder)
    return project(folder, entry('version: "v1"\nreplicas: 2') + store + more, a=model, b=MODEL)


def apply_job(objects: Objects) -> dict[str, Any]:
    (job,) = [m for name, m in objects.items() if name.startswith("Job ")]
    return job


def pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """The pod specs of every workload of the store by the name of the workload."""
    templates = {
        "server": objects["Deployment feature-store"]["spec"]["template"],
        "redis": objects["StatefulSet feature-store-redis"]["spec"]["template"],
        "apply": apply_job(objects)["spec"]["template"],
        "materialization": objects["CronJob feature-store-materialization"]["spec"]["jobTemplate"]["spec"][
            "template"
        ],
    }
    return {name: template["spec"] for name, template in templates.items()}
