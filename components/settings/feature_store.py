"""The settings of a stage's feature store: its servers, its online store, its registry, and its materialisation.

Field names are camelCase in the files. This module is the only place that states their defaults.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.settings.addresses import without_password
from components.settings.feature_backfill import Backfill
from components.settings.identifiers import Digest, ObjectName, Owner, Repository, Version
from components.settings.images import image_reference
from components.settings.model import DisruptionBudget
from components.settings.network import Destination
from components.settings.pod import Env, EnvSource, KeyReference, PositiveSeconds, Resources, Settings
from components.settings.quantities import Duration, seconds
from components.settings.redis import Redis
from components.settings.schedule import CronLine, longest_pause
from components.settings.watching import Severity
from components.settings.wrong import wrong

# The variables that carry the secrets of feature_store.yaml into the pods.
REDIS_USER = "FEATURE_STORE_REDIS_USER"
REDIS_PASSWORD = "FEATURE_STORE_REDIS_PASSWORD"
REGISTRY_URL = "FEATURE_STORE_REGISTRY_URL"
RESERVED_ENV = (REDIS_USER, REDIS_PASSWORD, REGISTRY_URL)
# On the node's disk, Feast writes only to /tmp, of 64Mi, and to its logs.
_RESOURCES = Resources(
    requests={"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "64Mi"},
    limits={"memory": "2Gi", "ephemeral-storage": "256Mi"},
)
_SCHEMES = ("s3", "gs")


class OfflineStore(StrEnum):
    """The engine with which Feast reads the sources when it materialises."""

    DASK = "dask"
    DUCKDB = "duckdb"


def _object_path(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES or not parts.netloc or not parts.path.strip("/"):
        raise wrong("must be a file in an object store", "write it like s3://bucket/registry.pb")
    return text


def _ratio(text: str) -> str:
    try:
        inside = 0 < Decimal(text) < 1
    except ArithmeticError:
        inside = False
    if not inside:
        raise wrong("must be a fraction between 0 and 1, both excluded", 'write it like "0.1"')
    return text


ObjectPath = Annotated[
    str, without_password("name the keys of the object store with env"), AfterValidator(_object_path)
]
Ratio = Annotated[str, AfterValidator(_ratio)]


class OnlineStore(Settings):
    """The store with the newest value of each feature."""

    redis: Redis


class SqlRegistry(Settings):
    """A SQL database, as an SQLAlchemy URL in an existing Secret."""

    url_secret: KeyReference
    """The URL, like postgresql+psycopg://user:password@host/database; it contains a password, so it is never in git."""


class ObjectStoreRegistry(Settings):
    """A file in an object store. Concurrent writes of jobs and servers overwrite each other: prefer SQL."""

    path: ObjectPath


class Registry(Settings):
    """Where Feast stores the definitions and how far they are materialised: one of the two."""

    sql: SqlRegistry | None = None
    object_store: ObjectStoreRegistry | None = None

    @model_validator(mode="after")
    def _one(self) -> "Registry":
        if (self.sql is None) == (self.object_store is None):
            raise wrong("must name either sql or objectStore", "keep one of the two")
        return self


class Materialization(Settings):
    """How new values get from the sources into the online store: a CronJob whose runs never overlap."""

    schedule: CronLine = "*/10 * * * *"
    """The schedule in UTC, as a cron expression."""
    deadline_seconds: PositiveSeconds = 1800
    """A run that takes longer is ended and counts as failed."""
    start_deadline_seconds: Annotated[int, Field(ge=10)] = 300
    """A run that could not start for this long is skipped."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a failed run is retried."""
    successful_history: Annotated[int, Field(ge=0)] = 3
    """Finished runs to keep."""
    failed_history: Annotated[int, Field(ge=1)] = 3
    """Failed runs to keep; their pods' logs show the reason."""
    suspend: bool = False
    """true: no new run starts."""
    backfill: Backfill | None = None
    """Past values, loaded once by a separate Job; docs/features.md says when that is needed."""
    resources: Resources = _RESOURCES


class FeatureAlertName(StrEnum):
    """The alerts a feature store can have; each has a page of its name in docs/runbooks/."""

    ABSENT = "FeatureStoreAbsent"
    READ_ERRORS = "FeatureStoreReadErrors"
    READS_SLOW = "FeatureStoreReadsSlow"
    REPLICAS_BELOW_DESIRED = "FeatureStoreReplicasBelowDesired"
    MATERIALIZATION_FAILED = "FeatureStoreMaterializationFailed"
    VIEW_STALE = "FeatureViewStale"
    VIEW_NEVER_MATERIALIZED = "FeatureViewNeverMaterialized"
    MISSING_ENTITIES = "FeatureStoreMissingEntities"
    REDIS_DOWN = "FeatureStoreRedisDown"
    REDIS_MEMORY_HIGH = "FeatureStoreRedisMemoryHigh"
    REDIS_EVICTING = "FeatureStoreRedisEvicting"


class FeatureAlertOverride(Settings):
    """What a stage changes of one alert on its feature store."""

    enabled: bool = True
    severity: Severity | None = None
    """Default: the alert's own severity."""


class FeatureWatch(Settings):
    """The thresholds of the alerts on the store."""

    freshness: Duration = "1h"
    """A view is stale when its last materialised value is older."""
    freshness_by_view: dict[str, Duration] = Field(default={})
    """Other limits for single views, by their name."""
    read_latency: Duration = "100ms"
    """99 of 100 online reads take less."""
    null_ratio: Ratio = "0.1"
    """The fraction of the requested entities that may have no values; measured in the stage's own Redis."""
    alerts: dict[FeatureAlertName, FeatureAlertOverride] = Field(default={})
    """Changes to alerts by their name; docs/feature-store.md lists them."""


class FeatureNetwork(Settings):
    """What the store may connect to besides DNS and its own Redis. Only models that name a service may reach it."""

    enabled: bool = True
    """false: everything may connect to the store, and it may connect to everything."""
    egress: tuple[Destination, ...] = ()
    """The registry, an existing Redis, and the sources that materialisation reads."""


class FeatureStoreSettings(Settings):
    """A Feast feature store of the stage."""

    owner: Owner
    """The team that is responsible for the store."""
    image: Repository = "quay.io/feastdev/feature-server"
    """The image's repository, without a tag."""
    version: Version
    """The image's tag, which is Feast's version, quoted."""
    digest: Digest | None = None
    """Pins the image's content."""
    replicas: Annotated[int, Field(ge=1, le=1000)]
    """How many feature servers there are."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes in each feature server."""
    resources: Resources = _RESOURCES
    """The requests and limits of a feature server."""
    online: OnlineStore
    registry: Registry
    offline: OfflineStore = OfflineStore.DASK
    """The engine that reads the sources when materialising: dask or duckdb."""
    registry_refresh_seconds: PositiveSeconds = 60
    """How long a server may keep using definitions that were changed."""
    materialization: Materialization = Materialization()
    apply_deadline_seconds: PositiveSeconds = 600
    """`feast apply` may take this long; servers and models are not touched before it succeeds."""
    env: Env = Field(default={})
    """Further environment variables of servers and jobs, such as the object store's credentials, in their order."""
    env_from: tuple[EnvSource, ...] = ()
    """Existing Secrets and ConfigMaps whose keys become environment variables of servers and jobs."""
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Existing Secrets with registry credentials."""
    disruption_budget: DisruptionBudget = DisruptionBudget()
    network: FeatureNetwork = FeatureNetwork()
    watch: FeatureWatch = FeatureWatch()

    @model_validator(mode="after")
    def _check(self) -> "FeatureStoreSettings":
        for name in RESERVED_ENV:
            if name in self.env:
                raise wrong(f"env.{name} is set by the program", "remove it, or use another name")
        if self.network.enabled and not self.network.egress:
            where = "registry and online.redis.url" if self.online.redis.url else "registry"
            raise wrong(
                f"network.egress is empty, so nothing could reach what {where} names",
                "add network: {egress: [{cidr: 10.0.0.0/16, ports: [5432]}]} with their addresses",
            )
        pause = longest_pause(self.materialization.schedule).total_seconds()
        for name, age in {"freshness": self.watch.freshness, **self.watch.freshness_by_view}.items():
            if not self.materialization.suspend and seconds(age) <= Decimal(pause):
                raise wrong(
                    f"watch.{name} ({age}) is not above the {pause:.0f} s between two runs of "
                    f"materialization.schedule ({self.materialization.schedule}), so its alert would fire all the time",
                    "raise it, or run more often",
                )
        return self

    @property
    def image_reference(self) -> str:
        """The image to run: repository, tag, and the digest where one is set."""
        return image_reference(self.image, self.version, self.digest)

    @property
    def keeps_data(self) -> bool:
        """True when the stage holds data that outlives it."""
        return self.online.redis.install and not self.online.redis.delete_data
