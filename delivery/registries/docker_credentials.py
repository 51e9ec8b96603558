"""The user's credentials for an image registry, from the configuration that `docker login` writes."""

import base64
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.auth  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]
from docker.utils import config  # type: ignore[import-untyped]

from delivery.registries.errors import Denied

HUB = "docker.io"
# It says where the library is what the error of a missing helper says anyway.
warnings.filterwarnings("ignore", module="docker.credentials")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the configuration has for one registry; each is None where it is not given.

    Attributes:
        basic: `user:password` as in a header of the kind Basic.
        identity_token: A long-lived token that the registry's token server exchanges for a short one.
        registry_token: A token that the registry itself accepts.
    """

    basic: str | None = None
    identity_token: str | None = None
    registry_token: str | None = None


def credentials(registry: str) -> Credentials:
    """What the user's configuration, or the credential helper that it names, has for a registry.

    Args:
        registry: Its host with its port, or `docker.io`.

    Raises:
        Denied: the configuration or the helper cannot be used.
    """
    file = config.find_config_file()
    if file is None:
        return Credentials()
    try:
        return _found(json.loads(Path(file).read_text(encoding="utf-8")), registry)
    except docker.errors.DockerException as error:
        raise Denied(
            f"the Docker configuration {file} has a credential helper for {registry} that fails ({error})",
            f"repair the helper, or `docker login {registry}` again",
        ) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Denied(
            f"the Docker configuration {file} cannot be read, or its entry for {registry} cannot",
            f"correct it, or `docker login {registry}` again",
        ) from None


def _found(data: dict[str, Any], registry: str) -> Credentials:
    # Docker's library does not know the registry's own token.
    for key, entry in data.get("auths", {}).items():
        if docker.auth.resolve_index_name(key) == registry and entry.get("registrytoken"):
            return Credentials(registry_token=str(entry["registrytoken"]))
    entries = {key: _without_empty(entry) for key, entry in data.get("auths", {}).items()}
    known = {**data, "auths": entries}
    found = docker.auth.load_config(config_dict=known).resolve_authconfig(registry) or {}
    # The library uses different keys for the file's and a helper's credentials.
    said = {key.lower(): value for key, value in found.items()}
    if said.get("identitytoken"):
        return Credentials(identity_token=str(said["identitytoken"]))
    user, password = said.get("username"), said.get("password")
    if user is None or password is None:
        return Credentials()
    return Credentials(basic=base64.b64encode(f"{user}:{password}".encode()).decode())


def _without_empty(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An empty token is not a token; the library would prefer it to the password."""
    return {key: value for key, value in entry.items() if value != ""}
