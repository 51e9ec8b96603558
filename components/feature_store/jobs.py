"""FeatureJobs: brings the commit's definitions into the registry, and values into the online store."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import names
from components.feature_store.backfill import NOW, backfill_pod
from components.feature_store.feast_pod import checksum, configuration, feast, feast_pod
from components.kubernetes.options import child_options
from components.settings.feature_backfill import Backfill
from components.settings.feature_definitions import FeatureDefinitions
from components.settings.feature_store import FeatureStoreSettings
from components.settings.stack import StackSettings

_FOLDER = "/features"
_DIGITS = 10
_RETRIES = 2


def apply_name(store: FeatureStoreSettings, stack: StackSettings) -> str:
    """The Job's name: another one for other definitions, another configuration or another spec, and a run for each.

    A Job cannot be changed. Argo CD asks the API server what a change would do, and where that is refused it compares,
    and so deploys, nothing of the stage.
    """
    data = {"definitions": stack.definitions.checksum, **configuration(store, stack)}
    return _name(names.APPLY, apply_job_spec(store, stack), data)


def backfill_name(backfill: Backfill, store: FeatureStoreSettings, stack: StackSettings) -> str:
    """The Job's name: another one for another spec, which holds the lines of the stack file, and a run for each."""
    return _name(names.BACKFILL, backfill_job_spec(backfill, store, stack), {})


def _name(part: str, spec: k8s.batch.v1.JobSpecArgsDict, reads: Mapping[str, str]) -> str:
    data = {"spec": json.dumps(spec, sort_keys=True), **reads}
    return f"{part}-{checksum(data)[:_DIGITS]}"


def definitions_data(definitions: FeatureDefinitions) -> dict[str, str]:
    """The ConfigMap's data: the Python files, whose keys may hold no slash."""
    return {_key(path): definitions.files[path] for path in sorted(definitions.files)}


def _key(path: str) -> str:
    return path.replace("/", ".")


def apply_job_spec(store: FeatureStoreSettings, stack: StackSettings) -> k8s.batch.v1.JobSpecArgsDict:
    """The JobSpec of `feast apply`.

    Each file is mounted by itself: a mounted ConfigMap is links into a hidden folder, which Feast follows and then
    takes the folder's name for that of a module.
    """
    files: list[k8s.core.v1.VolumeMountArgsDict] = [
        {"name": "definitions", "mount_path": f"{_FOLDER}/{path}", "sub_path": _key(path), "read_only": True}
        for path in sorted(stack.definitions.files)
    ]
    pod = feast_pod(
        store,
        {"name": names.APPLY, "command": feast(_FOLDER, "apply", "--no-progress")},
        store.materialization.resources,
        mounts=[{"name": "repository", "mount_path": _FOLDER}, *files],
        volumes=[
            {"name": "repository", "empty_dir": {"size_limit": "64Mi"}},
            {"name": "definitions", "config_map": {"name": names.DEFINITIONS}},
        ],
    )
    return _job_spec(
        pod,
        names.labels(stack, names.APPLY),
        retries=_RETRIES,
        deadline_seconds=store.apply_deadline_seconds,
    )


def materialization_spec(
    store: FeatureStoreSettings, stack: StackSettings
) -> k8s.batch.v1.CronJobSpecArgsDict:
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
        "time_zone": "Etc/UTC",
        # Two runs at once would write the same views, and the slower one the older values.
        "concurrency_policy": "Forbid",
        "starting_deadline_seconds": settings.start_deadline_seconds,
        "successful_jobs_history_limit": settings.successful_history,
        "failed_jobs_history_limit": settings.failed_history,
        "suspend": settings.suspend,
        "job_template": {
            "metadata": {"labels": names.labels(stack, names.MATERIALIZATION)},
            "spec": _job_spec(
                pod,
                names.labels(stack, names.MATERIALIZATION),
                retries=settings.retries,
                deadline_seconds=settings.deadline_seconds,
            ),
        },
    }


def backfill_job_spec(
    backfill: Backfill, store: FeatureStoreSettings, stack: StackSettings
) -> k8s.batch.v1.JobSpecArgsDict:
    """The JobSpec of a backfill: the materialisation's in all but its command."""
    return _job_spec(
        backfill_pod(backfill, store, stack),
        names.labels(stack, names.MATERIALIZATION),
        retries=store.materialization.retries,
        deadline_seconds=store.materialization.deadline_seconds,
    )


def _job_spec(
    pod: k8s.core.v1.PodSpecArgsDict, labels: Mapping[str, str], *, retries: int, deadline_seconds: int
) -> k8s.batch.v1.JobSpecArgsDict:
    return {
        "backoff_limit": retries,
        "active_deadline_seconds": deadline_seconds,
        "template": {
            "metadata": {"labels": dict(labels)},
            # A new pod for each try: the failed one keeps its log.
            "spec": {**pod, "restart_policy": "Never"},
        },
    }


def _once(after: Sequence[pulumi.Resource], deadline_seconds: int) -> pulumi.ResourceOptions:
    """The options of a Job that is awaited and stays as it ran."""
    return pulumi.ResourceOptions(
        depends_on=list(after),
        custom_timeouts=pulumi.CustomTimeouts(create=f"{deadline_seconds + 60}s"),
        # Its name says what it runs; that the server writes the spec otherwise is no reason to run again.
        ignore_changes=["spec"],
    )


class FeatureJobs(pulumi.ComponentResource):
    """The Job that applies the definitions, the CronJob that materialises, and the Job of a backfill.

    Attributes:
        applied: What must have ended well before a server starts.
    """

    applied: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        store: FeatureStoreSettings,
        stack: StackSettings,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the objects.

        Args:
            name: The component's name.
            store: The stage's feature store.
            stack: The stage.
            after: What must be there before a job runs.
            opts: The component's options.
        """
        super().__init__("ml-deployments:index:FeatureJobs", name, None, opts)
        child = pulumi.ResourceOptions.merge(
            child_options(self, opts), pulumi.ResourceOptions(depends_on=list(after))
        )
        definitions = k8s.core.v1.ConfigMap(
            names.DEFINITIONS,
            metadata=names.metadata(stack, names.APPLY, name=names.DEFINITIONS),
            data=definitions_data(stack.definitions),
            opts=child,
        )
        own = apply_name(store, stack)
        job = k8s.batch.v1.Job(
            own,
            metadata=names.metadata(stack, names.APPLY, name=own, wave=names.APPLY_WAVE),
            spec=apply_job_spec(store, stack),
            opts=pulumi.ResourceOptions.merge(child, _once([definitions], store.apply_deadline_seconds)),
        )
        self.applied = [job]
        k8s.batch.v1.CronJob(
            names.MATERIALIZATION,
            metadata=names.metadata(stack, names.MATERIALIZATION, wave=names.READER_WAVE),
            spec=materialization_spec(store, stack),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[job])),
        )
        if store.materialization.backfill is not None:
            own = backfill_name(store.materialization.backfill, store, stack)
            k8s.batch.v1.Job(
                own,
                # Nothing waits for the last wave, so one that fails holds nothing back.
                metadata=names.metadata(stack, names.MATERIALIZATION, name=own, wave=names.READER_WAVE),
                spec=backfill_job_spec(store.materialization.backfill, store, stack),
                opts=pulumi.ResourceOptions.merge(
                    child, _once([job], store.materialization.deadline_seconds)
                ),
            )
        self.register_outputs({})
