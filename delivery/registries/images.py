"""Asks an OCI registry for the digest of an image's tag."""

import ipaddress
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import docker.auth  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]
import requests
from dxf import DXF
from dxf.exceptions import DXFAuthInsecureError, DXFError, DXFUnauthorizedError

from delivery.registries.errors import Denied, NotFound, Unavailable

SECONDS = 10.0
_HUB = "docker.io"
_HUB_HOST = "registry-1.docker.io"


def image_digest(repository: str, tag: str, seconds: float = SECONDS) -> str:
    """The digest that a tag has now, like `sha256:...`; for a multi-platform image, that of its index.

    Credentials come from the user's Docker configuration, with its credential helpers.

    Args:
        repository: With its host, or on Docker Hub.
        tag: The image's tag.
        seconds: How long the registry may be silent.

    Raises:
        RegistryError: there is no such tag, the registry asks for other credentials, or it cannot be reached.
    """
    return _asked(repository, lambda found: _digest(found, tag), tag, seconds)


def split_repository(repository: str) -> tuple[str, str]:
    """The registry's host and the name there: `team/model` is on Docker Hub, `registry.example.com/model` is not."""
    index, name = docker.auth.resolve_repository_name(repository)
    if index != _HUB:
        return index, name
    return _HUB_HOST, name if "/" in name else f"library/{name}"


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses: the only ones that may be asked without TLS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def open_repository(host: str, name: str, seconds: float = SECONDS, *, insecure: bool = False) -> DXF:
    """The client of one repository, with the user's credentials.

    Args:
        host: The registry.
        name: The repository there.
        seconds: How long the registry may be silent.
        insecure: Plain HTTP; for loopback only.
    """
    return DXF(host, name, auth=_login(host), insecure=insecure, timeout=seconds)


def _asked(repository: str, ask: Callable[[DXF], str], tag: str, seconds: float) -> str:
    host, name = split_repository(repository)
    try:
        try:
            return ask(open_repository(host, name, seconds))
        except requests.exceptions.SSLError as error:
            # A registry on this machine may use plain HTTP; one whose certificate is refused may not.
            if not is_loopback(host) or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise
            return ask(open_repository(host, name, seconds, insecure=True))
    except DXFAuthInsecureError:
        raise Denied(
            f"{host} uses plain HTTP and asks for a password, which is never sent without TLS",
            "give the registry a certificate, or allow reading without a password",
        ) from None
    except DXFUnauthorizedError:
        raise Denied(
            f"{host} does not show {name} to these credentials",
            f"`docker login {host}` as a user who may read it",
        ) from None
    except requests.HTTPError as error:
        raise _refused(error.response, host, name, tag) from None
    except requests.Timeout:
        raise Unavailable(
            f"{host} did not answer within {seconds:.0f} s", "try again; if it stays, look at the registry"
        ) from None
    except requests.exceptions.SSLError as error:
        raise Unavailable(
            f"{host} shows a certificate that is not trusted ({_last_reason(error)})",
            "name the file of its certificate authority in REQUESTS_CA_BUNDLE",
        ) from None
    except (requests.RequestException, DXFError, docker.errors.DockerException, ValueError) as error:
        raise Unavailable(
            f"{host} cannot be asked ({_last_reason(error)})",
            "correct the image's host, or start the registry",
        ) from None


def _digest(repository: DXF, tag: str) -> str:
    digest, _ = repository.head_manifest_and_response(tag)
    if digest is None:
        # The header is optional; the digest is that of the manifest's bytes.
        _, response = repository.get_manifest_and_response(tag)
        digest = f"sha256:{sha256(response.content).hexdigest()}"
    return str(digest)


def _login(host: str) -> Callable[[Any, requests.Response], None]:
    def login(client: Any, response: requests.Response) -> None:  # noqa: ANN401
        found = docker.auth.load_config().resolve_authconfig(_HUB if host == _HUB_HOST else host) or {}
        # Docker's library uses different keys for the file's and a helper's credentials.
        said = {key.lower(): value for key, value in found.items()}
        client.authenticate(said.get("username"), said.get("password"), response=response)

    return login


def _refused(response: requests.Response, host: str, name: str, tag: str) -> NotFound | Denied | Unavailable:
    if response.status_code == requests.codes.not_found:
        return NotFound(f"{host} has no image {name}:{tag}", "push it, or correct the image or the version")
    if response.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return Denied(
            f"{host} does not show {name} to these credentials",
            f"`docker login {host}` as a user who may read it",
        )
    return Unavailable(
        f"{host} answered {response.status_code}{_said(response)}",
        "try again; if it stays, look at the registry",
    )


def _said(response: requests.Response) -> str:
    try:
        errors = json.loads(response.content)["errors"]
        return f" ({errors[0]['code']})"
    except (ValueError, LookupError, TypeError):
        return ""


def _last_reason(error: BaseException) -> str:
    """The innermost cause, without the wrappers of several libraries."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _last_reason(reason)
    return str(error).rpartition(": ")[2] or type(error).__name__
