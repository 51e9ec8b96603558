"""The settings of a feature store's Redis: whose it is, who may write, and who may only read."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from components.settings.addresses import no_password
from components.settings.pod import KeyReference, Settings
from components.settings.quantities import Quantity, quantity
from components.settings.wrong import wrong

REDIS_PORT = 6379
# Redis' own name of the user that gives no name.
DEFAULT_USER = "default"
_SMALLEST_MEMORY = "64Mi"
_OF_EXISTING = {"url", "ca", "user", "password_secret", "read_user", "read_password_secret"}


class EvictionPolicy(StrEnum):
    """What Redis does when its memory is full."""

    NOEVICTION = "noeviction"
    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_TTL = "volatile-ttl"


def _redis_url(text: str) -> str:
    no_password(text, "name the password with passwordSecret")
    parts = urlsplit(text)
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or not port_fits:
        raise wrong("must be the address of a Redis", "write it like redis://redis.example.com:6379")
    if "@" in parts.netloc:
        raise wrong(
            "names a user, which is a setting of its own", f"write user: {parts.username}, and remove it here"
        )
    if parts.query or parts.fragment or not (parts.path in {"", "/"} or parts.path[1:].isdecimal()):
        raise wrong(
            "has more than a host, a port and the number of a database",
            "write it like redis://redis.example.com:6379/0",
        )
    return text


RedisUrl = Annotated[str, AfterValidator(_redis_url)]
# A user's name is a part of Feast's comma-separated address.
UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][-A-Za-z0-9_.@]*$", max_length=255)]


class CertificateAuthority(Settings):
    """Who signed the certificate of an existing Redis: the key of a Secret or of a ConfigMap with PEM certificates."""

    secret: KeyReference | None = None
    config_map: KeyReference | None = None

    @model_validator(mode="after")
    def _one(self) -> "CertificateAuthority":
        if (self.secret is None) == (self.config_map is None):
            raise wrong("must name either a secret or a configMap", "keep one of the two")
        return self


class Redis(Settings):
    """The online store: the stage's own Redis (`install: true`), or an existing one by its `url`."""

    install: bool = False
    url: RedisUrl | None = None
    """An existing Redis; rediss:// uses TLS."""
    ca: CertificateAuthority | None = None
    """Who signed the certificate of an existing Redis. Default: the authorities of the image with Feast."""
    user: UserName | None = None
    """The user of an existing Redis as which the jobs write. Default: its default user."""
    password_secret: KeyReference | None = None
    """The password with which the jobs write, in an existing Secret of the stage; an installed Redis needs one. Feast
    cannot read a password with a comma, a quote or a backslash."""
    read_user: UserName | None = None
    """The user of an existing Redis as which the feature servers read. Default: the jobs' user, who can write."""
    read_password_secret: KeyReference | None = None
    """The other password, with which the feature servers read; an installed Redis and `readUser` need one."""
    storage: Quantity = "10Gi"
    """The volume of an installed Redis."""
    storage_class: Annotated[str, Field(min_length=1)] | None = None
    """Default: the cluster's default class."""
    memory: Quantity = "1Gi"
    """The memory of an installed Redis: three quarters for data, the rest for copies while it saves."""
    eviction_policy: EvictionPolicy = EvictionPolicy.NOEVICTION
    """noeviction: a full Redis refuses writes, so materialisation fails and existing values stay. Others evict
    features, which models then read as null."""
    delete_data: bool = False
    """true: `pulumi destroy`, and removing Redis from the file, also remove the volume's claim and the namespace."""

    @model_validator(mode="after")
    def _check(self) -> "Redis":
        if self.install and self.url is not None:
            raise wrong("has both install: true and url", "keep one of the two")
        if not self.install and self.url is None:
            raise wrong(
                "names no Redis",
                "write install: true for the stage's own, or url: redis://... for an existing one",
            )
        self._check_users()
        installed = set() if self.install else self.model_fields_set - _OF_EXISTING - {"install"}
        existing = self.model_fields_set & {"user", "read_user", "ca"} if self.install else set()
        if idle := sorted(installed or existing):
            names = ", ".join(to_camel(name) for name in idle)
            which = "the stage's own" if self.install else "an existing"
            raise wrong(f"{names} has no effect on {which} Redis", "remove it")
        if self.ca is not None and not (self.url or "").startswith("rediss:"):
            raise wrong("ca has no effect without TLS", "write the url with rediss://, or remove ca")
        if quantity(self.memory) < quantity(_SMALLEST_MEMORY):
            raise wrong(f"memory {self.memory} is below {_SMALLEST_MEMORY}", "write it like 1Gi")
        return self

    def _check_users(self) -> None:
        if self.install and self.password_secret is None:
            raise wrong(
                "install: true needs passwordSecret, or every pod could read and write",
                "create a Secret and add passwordSecret: {name: ..., key: ...}",
            )
        if self.install and self.read_password_secret is None:
            raise wrong(
                "install: true needs readPasswordSecret, or the feature servers could write",
                "add a key with another password to the Secret, and then readPasswordSecret: {name: ..., key: ...}; "
                "docs/feature-store.md says how",
            )
        if self.password_secret is not None and self.password_secret == self.read_password_secret:
            raise wrong(
                "passwordSecret and readPasswordSecret name the same key, so who reads could write",
                "put another password under a key of its own",
            )
        if self.user is not None and self.password_secret is None:
            raise wrong("user has no password", "add passwordSecret: {name: ..., key: ...}")
        if not self.install and (self.read_user is None) != (self.read_password_secret is None):
            raise wrong("has only one of readUser and readPasswordSecret", "add the other, or remove both")
        if self.read_user is not None and self.read_user == (self.user or DEFAULT_USER):
            raise wrong("user and readUser are the same, so who reads could write", "name two users")
