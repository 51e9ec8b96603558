"""Names, labels and selectors of a stage's feature store. Pure functions."""

from components.kubernetes import naming
from components.kubernetes.objects import Manifest
from components.settings.stack import StackSettings

SERVER = "feature-store"
REDIS = "feature-store-redis"
# The container of the exporter in Redis' pod.
EXPORTER = "exporter"
APPLY = "feature-store-apply"
MATERIALIZATION = "feature-store-materialization"
# Its pods have the labels of the materialisation, and so may reach Redis and the sources as it does.
BACKFILL = "feature-store-backfill"
# The ConfigMaps that are not named like a part.
DEFINITIONS = "feature-store-definitions"
CONFIGURATION = "feature-store-configuration"
RULES = "feature-store-rules"
# Names of objects that could collide with a model's, so that no model may have such a name.
PARTS = (SERVER, REDIS, APPLY, MATERIALIZATION, DEFINITIONS, CONFIGURATION)

SERVER_PORT = 6566
METRICS_PORT = 8000
EXPORTER_PORT = 9121
# The waves in which Argo CD applies the Job, the servers, and the models that read. Nothing waits for the CronJob,
# which is unhealthy after a failed run, so it is in the last wave.
APPLY_WAVE, SERVER_WAVE, READER_WAVE = 1, 2, 3
# The component label of all its objects.
FEATURE_STORE = "feature-store"


def selector(part: str) -> dict[str, str]:
    """The selector of a part's pods; it never contains a version."""
    return {naming.NAME: part, naming.COMPONENT: FEATURE_STORE}


def labels(stack: StackSettings, part: str) -> dict[str, str]:
    """The labels of a part's objects; without the version, so that a new version changes only what shows it."""
    owner = {} if stack.feature_store is None else {naming.OWNER: stack.feature_store.owner}
    return {**selector(part), **naming.stage_labels(stack.stage), **owner}


def metadata(
    stack: StackSettings, part: str, *, name: str | None = None, wave: int | None = None
) -> Manifest:
    """The metadata of an object of a part; by default named like it, and in Argo CD's first wave."""
    return {
        "name": name or part,
        "namespace": stack.namespace,
        "labels": labels(stack, part),
        "annotations": {**naming.annotations(stack.stage), **(naming.wave(wave) if wave else {})},
    }


def server_url(stack: StackSettings) -> str:
    """The feature servers' address inside the cluster."""
    return f"http://{SERVER}.{stack.namespace}.svc:{SERVER_PORT}"


def redis_host(stack: StackSettings) -> str:
    """The host of the stage's own Redis inside the cluster."""
    return f"{REDIS}.{stack.namespace}.svc"
