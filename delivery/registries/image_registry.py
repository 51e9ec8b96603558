"""Reads from an OCI registry, with the user's credentials and the logins that registries ask for."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import parse_http_list

from pydantic import Field

from delivery.http.addresses import is_private, origin
from delivery.http.client import Answer, Client
from delivery.http.documents import Document, read_document
from delivery.registries.docker_credentials import HUB, Credentials, credentials
from delivery.registries.errors import Denied, NotFound, RegistryError, Unavailable

HUB_HOST = "registry-1.docker.io"
_OK, _NOT_FOUND, _UNAUTHORIZED, _FORBIDDEN = 200, 404, 401, 403
_BEARER = re.compile(r"\bbearer\s+(?=[\w-]+\s*=)", re.IGNORECASE)
# What a header can hold.
_Token = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")]


class _Issued(Document):
    # Older token servers say token, those of OAuth 2 say access_token, some say both.
    token: _Token | None = None
    access_token: _Token | None = None


class _Error(Document):
    code: str


class _Errors(Document):
    errors: list[_Error]


class ImageRegistry:
    """One repository of a registry, to read from."""

    def __init__(self, client: Client, host: str, name: str, *, plain: bool = False) -> None:
        """Nothing is asked yet.

        Args:
            client: Asks.
            host: The registry.
            name: The repository there.
            plain: Over HTTP; for this machine's own addresses only.
        """
        self.host, self.name = host, name
        self._client, self._plain = client, plain
        self._base = f"{'http' if plain else 'https'}://{host}/v2/{name}"
        self._authorization: str | None = None

    def get(self, path: str, accept: str) -> Answer:
        """The answer for a path of the repository, with status 200.

        Args:
            path: Like `manifests/v1`.
            accept: The media types that can be read.

        Raises:
            NotFound: there is nothing at the path.
            Denied: the registry requires credentials, or other ones.
            Unavailable: any other answer.
            HttpError: no usable answer.
        """
        answer = self._send(path, accept)
        # Another server, to which the registry redirected, is not one that the credentials are for.
        own = origin(answer.url) == origin(self._base)
        if answer.status == _UNAUTHORIZED and own and self._authorization is None:
            self._authorization = self._login(answer.headers.get("www-authenticate", ""))
            answer = self._send(path, accept)
        if answer.status == _OK:
            return answer
        raise self._refused(answer, path)

    def odd(self, reason: object) -> Unavailable:
        """The error of an answer that is not one of a registry."""
        return Unavailable(
            f"{self.host} did not answer about {self.name} as a registry does ({reason})",
            "correct the image's host, or look at the registry",
        )

    def _send(self, path: str, accept: str) -> Answer:
        headers = {"Accept": accept}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        return self._client.follow(f"{self._base}/{path}", headers)

    def _login(self, challenge: str) -> str:
        if self._plain:
            raise Denied(
                f"{self.host} uses plain HTTP and asks for a password, which is never sent without TLS",
                "give the registry a certificate, or allow reading without a password",
            )
        known = credentials(HUB if self.host == HUB_HOST else self.host)
        if known.registry_token is not None:
            return f"Bearer {known.registry_token}"
        bearer = _BEARER.search(challenge)
        if bearer is not None:
            return f"Bearer {self._token(_parameters(challenge[bearer.end() :]), known)}"
        if known.basic is not None and challenge.lower().lstrip().startswith("basic"):
            return f"Basic {known.basic}"
        raise self._denied()

    def _token(self, challenge: Mapping[str, str], known: Credentials) -> str:
        realm = challenge.get("realm", "")
        if not _may_be_sent_secrets(realm):
            raise Denied(
                f"{self.host} names {realm[:200] or 'nothing'} as its server of tokens, which is not over TLS",
                "correct the registry's realm",
            )
        wanted = {"service": challenge.get("service", ""), "scope": f"repository:{self.name}:pull"}
        wanted = {key: value for key, value in wanted.items() if value}
        if known.identity_token is not None:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "client_id": "ml-deployments",
                **wanted,
            }
            answer = self._client.ask("POST", realm, data=form)
        else:
            parts = urlsplit(realm)
            query = urlencode([*parse_qsl(parts.query), *wanted.items()])
            headers = {} if known.basic is None else {"Authorization": f"Basic {known.basic}"}
            answer = self._client.follow(urlunsplit(parts._replace(query=query)), headers)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._denied()
        if answer.status != _OK:
            raise Unavailable(
                f"{urlsplit(realm).netloc}, which gives out {self.host}'s tokens, answered {answer.status}",
                "try again; if it stays, look at the registry",
            )
        try:
            issued = read_document(_Issued, answer.body)
        except ValueError as error:
            raise self.odd(error) from None
        token = issued.access_token or issued.token
        if token is None:
            raise self.odd("its server of tokens gave none")
        return token

    def _denied(self) -> Denied:
        return Denied(
            f"{self.host} does not show {self.name} to these credentials",
            f"`docker login {self.host}` as a user who may read it",
        )

    def _refused(self, answer: Answer, path: str) -> RegistryError:
        if answer.status == _NOT_FOUND:
            return NotFound(f"{self.host} has no {path} of {self.name}", "push the image again")
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            return self._denied()
        try:
            said = f" ({read_document(_Errors, answer.body).errors[0].code[:100]})"
        except (ValueError, IndexError):
            said = ""
        return Unavailable(
            f"{self.host} answered {answer.status}{said}", "try again; if it stays, look at the registry"
        )


def _parameters(text: str) -> dict[str, str]:
    pairs = (item.partition("=") for item in parse_http_list(text))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _may_be_sent_secrets(realm: str) -> bool:
    try:
        return is_private(realm) and "@" not in urlsplit(realm).netloc
    except ValueError:
        return False
