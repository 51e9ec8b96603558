"""FeatureJobs: applies the commit's definitions to the registry, and loads values into the online store."""

import json
import re
from collections.abc import Mapping
from typing import Any

from components.feature_store import names
from components.feature_store.backfill import NOW, backfill_pod
from components.feature_store.feast_pod import checksum, configuration, feast, feast_pod
from components.kubernetes.objects import Component, KubernetesObject, Manifest, kubernetes_object
from components.settings.feature_backfill import Backfill
from components.settings.feature_definitions import FeatureDefinitions
from components.settings.feature_store import FeatureStoreSettings
from components.settings.stack import StackSettings

_FOLDER = "/features"
_DIGITS = 10
_RETRIES = 2
_FIELD, _CAPITAL = re.compile("[a-z]+([A-Z][a-z]+)+"), re.compile("[A-Z]")


def apply_name(store: FeatureStoreSettings, stack: StackSettings) -> str:
    """The Job's name. Other definitions, another configuration or another spec change it, and each name is a new run.

    A Job is immutable. Argo CD asks the API server what a change would do; if that is refused, it compares nothing of
    the stage and so deploys nothing of it.
    """
    data = {"definitions": stack.definitions.checksum, **configuration(store, stack)}
    return _name(names.APPLY, apply_job_spec(store, stack), data)


def backfill_name(backfill: Backfill, store: FeatureStoreSettings, stack: StackSettings) -> str:
    """The Job's name. Another spec, which contains the stack file's lines, changes it, and each name is a new run."""
    return _name(names.BACKFILL, backfill_job_spec(backfill, store, stack), {})


def _name(part: str, spec: Manifest, reads: Mapping[str, str]) -> str:
    data = {"spec": json.dumps(_named_by(spec), sort_keys=True), **reads}
    return f"{part}-{checksum(data)[:_DIGITS]}"


def _named_by(value: Any) -> Any:  # noqa: ANN401
    """The spec with its fields spelled like `mount_path`.

    Jobs that ran have this spelling's checksum in their names; with another, all of them would run again.
    """
    if isinstance(value, Mapping):
        return {_snake(key) if _FIELD.fullmatch(key) else key: _named_by(item) for key, item in value.items()}
    return [_named_by(item) for item in value] if isinstance(value, list) else value


def _snake(field: str) -> str:
    return _CAPITAL.sub(lambda found: f"_{found[0].lower()}", field)


def definitions_data(definitions: FeatureDefinitions) -> dict[str, str]:
    """The ConfigMap's data: the Python files, whose keys must not contain a slash."""
    return {_key(path): definitions.files[path] for path in sorted(definitions.files)}


def _key(path: str) -> str:
    return path.replace("/", ".")


def apply_job_spec(store: FeatureStoreSettings, stack: StackSettings) -> Manifest:
    """The JobSpec of `feast apply`.

    Each file is mounted separately: the files of a mounted ConfigMap are links into a hidden folder. Feast follows them
    and then takes the folder's name as that of a module.
    """
    files: list[Manifest] = [
        {"name": "definitions", "mountPath": f"{_FOLDER}/{path}", "subPath": _key(path), "readOnly": True}
        for path in sorted(stack.definitions.files)
    ]
    pod = feast_pod(
        store,
        {"name": names.APPLY, "command": feast(_FOLDER, "apply", "--no-progress")},
        store.materialization.resources,
        mounts=[{"name": "repository", "mountPath": _FOLDER}, *files],
        volumes=[
            {"name": "repository", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "definitions", "configMap": {"name": names.DEFINITIONS}},
        ],
    )
    return _job_spec(
        pod,
        names.labels(stack, names.APPLY),
        retries=_RETRIES,
        deadline_seconds=store.apply_deadline_seconds,
    )


def materialization_spec(store: FeatureStoreSettings, stack: StackSettings) -> Manifest:
    """The CronJobSpec of the materialisation."""
    settings = store.materialization
    command = " ".join(feast("/tmp", "materialize-incremental", NOW))
    pod = feast_pod(
        store,
        {"name": names.MATERIALIZATION, "command": ["sh", "-c", f"exec {command}"]},
        settings.resources,
    )
    return {
        "schedule": settings.schedule,
        "timeZone": "Etc/UTC",
        # Two runs at once would write the same views, and the slower one the older values.
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": settings.start_deadline_seconds,
        "successfulJobsHistoryLimit": settings.successful_history,
        "failedJobsHistoryLimit": settings.failed_history,
        "suspend": settings.suspend,
        "jobTemplate": {
            "metadata": {"labels": names.labels(stack, names.MATERIALIZATION)},
            "spec": _job_spec(
                pod,
                names.labels(stack, names.MATERIALIZATION),
                retries=settings.retries,
                deadline_seconds=settings.deadline_seconds,
            ),
        },
    }


def backfill_job_spec(backfill: Backfill, store: FeatureStoreSettings, stack: StackSettings) -> Manifest:
    """The JobSpec of a backfill: the materialisation's, with another command."""
    return _job_spec(
        backfill_pod(backfill, store, stack),
        names.labels(stack, names.MATERIALIZATION),
        retries=store.materialization.retries,
        deadline_seconds=store.materialization.deadline_seconds,
    )


def _job_spec(pod: Manifest, labels: Mapping[str, str], *, retries: int, deadline_seconds: int) -> Manifest:
    return {
        "backoffLimit": retries,
        "activeDeadlineSeconds": deadline_seconds,
        "template": {
            "metadata": {"labels": dict(labels)},
            # A new pod for each try: the failed one keeps its log.
            "spec": {**pod, "restartPolicy": "Never"},
        },
    }


def feature_jobs(
    store: FeatureStoreSettings, stack: StackSettings, after: tuple[KubernetesObject, ...]
) -> Component:
    """The Job that applies the definitions, the CronJob that materialises, and the Job of a backfill.

    Args:
        store: The stage's feature store.
        stack: The stage.
        after: What must exist before a job runs.

    Returns:
        The component; it is ready when the definitions are applied.
    """
    definitions = kubernetes_object(
        "ConfigMap",
        names.metadata(stack, names.APPLY, name=names.DEFINITIONS),
        {"data": definitions_data(stack.definitions)},
        after=after,
    )
    apply = _once(
        names.metadata(stack, names.APPLY, name=apply_name(store, stack), wave=names.APPLY_WAVE),
        apply_job_spec(store, stack),
        (*after, definitions),
        store.apply_deadline_seconds,
    )
    materialization = kubernetes_object(
        "CronJob",
        names.metadata(stack, names.MATERIALIZATION, wave=names.READER_WAVE),
        {"spec": materialization_spec(store, stack)},
        after=(*after, apply),
    )
    children = [definitions, apply, materialization]
    if (backfill := store.materialization.backfill) is not None:
        name = backfill_name(backfill, store, stack)
        children.append(
            _once(
                # Nothing waits for the last wave, so a failed Job there holds back nothing.
                names.metadata(stack, names.MATERIALIZATION, name=name, wave=names.READER_WAVE),
                backfill_job_spec(backfill, store, stack),
                (*after, apply),
                store.materialization.deadline_seconds,
            )
        )
    return Component(type="FeatureJobs", name=names.APPLY, children=tuple(children), ready=(apply,))


def _once(
    metadata: Manifest, spec: Manifest, after: tuple[KubernetesObject, ...], deadline_seconds: int
) -> KubernetesObject:
    """A Job that is awaited and stays as it ran."""
    return kubernetes_object(
        "Job",
        metadata,
        {"spec": spec},
        after=after,
        timeouts={"create": deadline_seconds + 60},
        # Its name says what it runs; a spec that the server writes differently is not a reason to run again.
        ignore_changes=("spec",),
    )
