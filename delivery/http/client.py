"""A client for HTTP whose answers are bounded in size, and whose secrets stay where they belong."""

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from components.errors import UserError
from delivery.http.addresses import is_loopback, is_private, origin

# The largest answers that are read in full: a logged model of MLflow with all values of its metrics.
MOST_BYTES = 16 * 2**20
_HEADER = re.compile(r"[\x20-\x7e]*")
_CHUNK = 64 * 2**10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
# What OpenSSL calls an answer that is not TLS.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH",
)


class HttpError(UserError):
    """A server was asked, and there is not an answer that can be used."""


class UnreachableError(HttpError):
    """There is not a server at the address, or the connection broke."""


class LateError(HttpError):
    """The answer was not there in time."""


class NotTlsError(HttpError):
    """The server answers in plain HTTP where TLS was expected."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer, read in full.

    Attributes:
        url: Who gave it, after redirects.
        headers: By their name, in any case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def redirect(self) -> str | None:
        """Where it sends the client; None where it does not."""
        place = self.headers.get("location") if self.status in _REDIRECTS else None
        return place and urljoin(self.url, place)


class Client:
    """Asks servers until a deadline that all of its requests share.

    Proxies and authorities of certificates come from the environment, as those of `requests` do; credentials do not.
    """

    def __init__(self, seconds: float, *, authority: str | None = None) -> None:
        """Start the time.

        Args:
            seconds: How long all requests may take together.
            authority: A file with the certificates to trust, instead of those of the environment.
        """
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._authority = authority

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; redirects are not followed.

        Args:
            method: Like `GET`.
            url: The address.
            headers: Sent in addition to the client's own.
            fields: The query.
            data: The body, or a form.

        Raises:
            HttpError: no usable answer until the deadline.
        """
        host = urlsplit(url).netloc
        sent = {"User-Agent": "ml-deployments", **(headers or {}), "Accept-Encoding": "identity"}
        for name, value in sent.items():
            # The error of the library would show the value, which is a secret.
            if not _HEADER.fullmatch(value):
                raise HttpError(
                    f"{host} was not asked: the value for {name} has characters that a header cannot hold",
                    "correct the token or the password, which may end in a line break",
                )
        try:
            with (
                requests.Session() as session,
                session.request(
                    method,
                    url,
                    params=fields,
                    data=data,
                    headers=sent,
                    # Otherwise a .netrc file's password replaces the header.
                    auth=_unchanged,
                    timeout=self._left(host),
                    allow_redirects=False,
                    stream=True,
                    verify=self._authority,
                    proxies=_proxies(url),
                ) as response,
            ):
                return self._read(host, response)
        except requests.exceptions.SSLError as error:
            raise _tls_error(host, error) from None
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise self.late(host) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"{host} cannot be asked ({_last_reason(error)})", "correct the address, or start the server"
            ) from None
        except (OSError, ValueError) as error:
            # The environment's own: a file of authorities that does not exist, a proxy that is not an address.
            raise HttpError(
                f"{host} cannot be asked ({_without_password(str(error))})",
                "correct the address, REQUESTS_CA_BUNDLE or HTTPS_PROXY, whichever it is about",
            ) from None

    def follow(self, url: str, headers: Mapping[str, str]) -> Answer:
        """A GET that follows redirects over TLS; another server does not get `Authorization`.

        Raises:
            HttpError: no usable answer until the deadline, too many redirects, or one that leaves TLS.
        """
        sent = dict(headers)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self.ask("GET", url, headers=sent)
            following = answer.redirect
            if following is None:
                return answer
            try:
                allowed = is_private(following) and (urlsplit(url).scheme == "http" or _is_https(following))
                same = origin(following) == origin(url)
            except ValueError:
                allowed = same = False
            if not allowed:
                raise HttpError(
                    f"{urlsplit(url).netloc} redirects to {following[:200]}, which is not over TLS",
                    "correct the server's redirect",
                )
            if not same:
                sent.pop("Authorization", None)
            url = following
        raise HttpError(
            f"{urlsplit(url).netloc} redirects more than {_MOST_REDIRECTS} times",
            "correct the server's redirects",
        )

    def late(self, host: str) -> LateError:
        """The error of an answer that is not there at the deadline."""
        return LateError(
            f"{host} did not answer within {self._seconds:.0f} s",
            "try again; if it stays, look at the server",
        )

    def _left(self, host: str) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self.late(host)
        return left

    def _read(self, host: str, response: requests.Response) -> Answer:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() not in {"identity", ""}:
            raise HttpError(
                f"{host} answered with {encoding[:40]}, although uncompressed was asked for",
                "correct the server, or the proxy in front of it",
            )
        body = bytearray()
        # Its own limit of time begins again with each byte.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            self._left(host)
            body += chunk
            if len(body) > MOST_BYTES:
                raise HttpError(
                    f"{host} answered with more than {MOST_BYTES // 2**20} MiB",
                    "correct the address; an answer of this size is not expected",
                )
        return Answer(
            url=response.url, status=response.status_code, headers=response.headers, body=bytes(body)
        )


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _proxies(url: str) -> Any:  # noqa: ANN401 - the types of requests do not know None, which removes a proxy.
    # What is plain stays on this machine, also where a proxy is set for everything.
    return None if _is_https(url) else dict.fromkeys(("http", "https", "all"))


def _is_https(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _tls_error(host: str, error: requests.exceptions.SSLError) -> HttpError:
    text = str(error)
    if any(sign in text for sign in _NOT_TLS):
        more = "" if is_loopback(host) else "; plain HTTP is only used on this machine"
        return NotTlsError(
            f"{host} answers in plain HTTP, and not over TLS{more}", "give the server a certificate"
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return HttpError(
            f"{host} shows a certificate that is not trusted ({_last_reason(error)})",
            "name the file of its certificate authority in REQUESTS_CA_BUNDLE",
        )
    return UnreachableError(
        f"{host} cannot be asked over TLS ({_last_reason(error)})", "correct the address, or the server's TLS"
    )


def _last_reason(error: BaseException) -> str:
    """The innermost cause, without the wrappers of several libraries."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _last_reason(reason)
    return _without_password(str(error).rpartition(": ")[2]) or type(error).__name__


def _without_password(text: str) -> str:
    """What libraries say about a proxy's address has its password."""
    return re.sub(r"[^\s/]*@", "...@", text)
