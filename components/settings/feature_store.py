"""The settings of a stage's feature store: its servers, its online store, its registry, and how it is kept fresh.

Field names are camelCase in the files. This module is the only place that states their defaults.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.settings.feature_backfill import Backfill
from components.settings.identifiers import Digest, EnvName, LabelValue, ObjectName, Repository, Version
from components.settings.model import Destination, DisruptionBudget
from components.settings.pod import EnvSource, EnvValue, KeyReference, PositiveSeconds, Resources, Settings
from components.settings.quantities import Duration, Quantity, quantity, seconds
from components.settings.schedule import CronLine, longest_pause
from components.settings.watching import Severity
from components.settings.wrong import wrong

# The variables that carry the secrets of feature_store.yaml into the pods.
REDIS_PASSWORD = "FEATURE_STORE_REDIS_PASSWORD"
REGISTRY_URL = "FEATURE_STORE_REGISTRY_URL"
RESERVED_ENV = (REDIS_PASSWORD, REGISTRY_URL)
REDIS_PORT = 6379
_SMALLEST_MEMORY = "64Mi"
_SCHEMES = ("s3", "gs")


class EvictionPolicy(StrEnum):
    """What Redis does when its memory is full."""

    NOEVICTION = "noeviction"
    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_TTL = "volatile-ttl"


class OfflineStore(StrEnum):
    """What Feast reads the sources with when it materialises."""

    DASK = "dask"
    DUCKDB = "duckdb"


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or not port_fits:
        raise wrong("must be the address of a Redis", "write it like redis://redis.example.com:6379")
    if "@" in parts.netloc:
        raise wrong(
            "holds a user or a password, and no secret is ever in git",
            "name the password with passwordSecret",
        )
    if parts.query or parts.fragment or not (parts.path in {"", "/"} or parts.path[1:].isdecimal()):
        raise wrong(
            "has more than a host, a port and the number of a database",
            "write it like redis://redis.example.com:6379/0",
        )
    return text


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


RedisUrl = Annotated[str, AfterValidator(_redis_url)]
ObjectPath = Annotated[str, AfterValidator(_object_path)]
Ratio = Annotated[str, AfterValidator(_ratio)]


class Redis(Settings):
    """The online store: a Redis of the stage's own (`install: true`), or an existing one by its `url`."""

    install: bool = False
    url: RedisUrl | None = None
    """An existing Redis; rediss:// speaks TLS."""
    password_secret: KeyReference | None = None
    """The password in an existing Secret of the stage; an installed Redis needs one. Feast cannot read a password with
    a comma, a quote or a backslash."""
    storage: Quantity = "10Gi"
    """The volume of an installed Redis."""
    storage_class: Annotated[str, Field(min_length=1)] | None = None
    """Left out: the cluster's default class."""
    memory: Quantity = "1Gi"
    """What an installed Redis may use; three quarters of it hold data, the rest is for copies while it saves."""
    eviction_policy: EvictionPolicy = EvictionPolicy.NOEVICTION
    """noeviction: a full Redis refuses writes, so materialisation fails and what is there stays. Others drop features,
    which models then read as null."""
    delete_data: bool = False
    """true: `pulumi destroy`, and taking Redis out of the file, remove the volume's claim and the namespace, too."""

    @model_validator(mode="after")
    def _check(self) -> "Redis":
        if self.install and self.url is not None:
            raise wrong("has both install: true and url", "keep one of the two")
        if not self.install and self.url is None:
            raise wrong(
                "names no Redis",
                "write install: true for one of the stage's own, or url: redis://... for another",
            )
        if self.install and self.password_secret is None:
            raise wrong(
                "install: true needs passwordSecret, or every pod could read and write",
                "create a Secret and add passwordSecret: {name: ..., key: ...}",
            )
        idle = sorted(self.model_fields_set - {"install", "url", "password_secret"})
        if idle and not self.install:
            raise wrong(f"{', '.join(idle)} has no effect on an existing Redis", "remove it")
        if quantity(self.memory) < quantity(_SMALLEST_MEMORY):
            raise wrong(f"memory {self.memory} is below {_SMALLEST_MEMORY}", "write it like 1Gi")
        return self


class OnlineStore(Settings):
    """Where the newest value of each feature is."""

    redis: Redis


class SqlRegistry(Settings):
    """A SQL database, as an SQLAlchemy URL in an existing Secret."""

    url_secret: KeyReference
    """The URL, like postgresql+psycopg://user:password@host/database; it holds a password, so it is never in git."""


class ObjectStoreRegistry(Settings):
    """A file in an object store. Jobs and servers that write at once overwrite each other: prefer SQL."""

    path: ObjectPath


class Registry(Settings):
    """Where Feast keeps what is defined and how far it is materialised: one of the two."""

    sql: SqlRegistry | None = None
    object_store: ObjectStoreRegistry | None = None

    @model_validator(mode="after")
    def _one(self) -> "Registry":
        if (self.sql is None) == (self.object_store is None):
            raise wrong("must name either sql or objectStore", "keep one of the two")
        return self


class Materialization(Settings):
    """How new values get from the sources into the online store: a CronJob, never two runs at once."""

    schedule: CronLine = "*/10 * * * *"
    """When, in UTC; a cron line."""
    deadline_seconds: PositiveSeconds = 1800
    """A run that takes longer is ended and has failed."""
    start_deadline_seconds: Annotated[int, Field(ge=10)] = 300
    """A run that could not start for this long is left out."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a failed run is tried again."""
    successful_history: Annotated[int, Field(ge=0)] = 3
    """Finished runs to keep."""
    failed_history: Annotated[int, Field(ge=1)] = 3
    """Failed runs to keep; their pods hold the reason."""
    suspend: bool = False
    """true: no new run starts."""
    backfill: Backfill | None = None
    """Values that lie behind, brought once by a Job of their own; docs/features.md says when that is needed."""
    resources: Resources = Resources(requests={"cpu": "500m", "memory": "1Gi"}, limits={"memory": "2Gi"})


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
    """Left out: the alert's own."""


class FeatureWatch(Settings):
    """What the alerts on the store compare with."""

    freshness: Duration = "1h"
    """A view is stale when its last materialised value is older."""
    freshness_by_view: dict[str, Duration] = Field(default={})
    """Other ages for single views, by their name."""
    read_latency: Duration = "100ms"
    """99 of 100 online reads take less."""
    null_ratio: Ratio = "0.1"
    """The part of the entities asked for that may have no values; measured in a Redis of the stage's own."""
    alerts: dict[FeatureAlertName, FeatureAlertOverride] = Field(default={})
    """Changes to alerts by their name; docs/feature-store.md lists them."""


class FeatureNetwork(Settings):
    """Whom the store may talk to besides DNS and its own Redis. Only models that name a service may talk to it."""

    enabled: bool = True
    """false: no NetworkPolicy."""
    egress: tuple[Destination, ...] = ()
    """The registry, an existing Redis, and the sources that materialisation reads."""


class FeatureStoreSettings(Settings):
    """A Feast feature store of the stage."""

    owner: LabelValue
    """The team that answers for the store."""
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
    resources: Resources = Resources(requests={"cpu": "500m", "memory": "1Gi"}, limits={"memory": "2Gi"})
    """What a feature server asks of its node."""
    online: OnlineStore
    registry: Registry
    offline: OfflineStore = OfflineStore.DASK
    """What reads the sources when materialising: dask or duckdb."""
    registry_refresh_seconds: PositiveSeconds = 60
    """So long a server may go on with definitions that were changed."""
    materialization: Materialization = Materialization()
    apply_deadline_seconds: PositiveSeconds = 600
    """`feast apply` may take this long; servers and models are not touched before it ends well."""
    env: dict[EnvName, EnvValue] = Field(default={})
    """Further environment variables of servers and jobs, such as the object store's credentials."""
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
                "add network: {egress: [{cidr: 10.0.0.0/16, ports: [5432]}]} with where that is",
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
        """The image to run: repository and tag, and the digest where one is given."""
        tagged = f"{self.image}:{self.version}"
        return tagged if self.digest is None else f"{tagged}@{self.digest}"

    @property
    def keeps_data(self) -> bool:
        """True when the stage holds data that outlives it."""
        return self.online.redis.install and not self.online.redis.delete_data
