"""Posts a page as the comment of a pull request on GitHub, or edits the one that is there."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from components.errors import UserError
from delivery.http.addresses import is_private
from delivery.http.client import Answer, Client, LateError, UnreachableError
from delivery.http.deadline import within
from delivery.http.documents import Document, read_document

D = TypeVar("D", bound=Document)

API = "https://api.github.com"
LONGEST_CHARACTERS = 65_536
_PAGE = 100
_MOST_PAGES = 100
_LONGEST_MESSAGE = 300
_MARKER = re.compile(r"<!-- ml-deployments [^\n]+ -->")
_RETRIED = frozenset({429, 500, 502, 503, 504})
# The pauses before a request is sent again. Not a POST, which may have succeeded although its answer was lost: then the
# comment is searched for again.
_PAUSES_SECONDS: tuple[float, ...] = (0.5, 1, 2, 4)
# A rate limit may last an hour, and a job has less time.
_LONGEST_PAUSE_SECONDS = 30.0
_SECONDS = 30.0
_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0


class _UnclearError(UserError):
    """A POST failed in a way that it may still have succeeded."""


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request and how to reach it.

    Attributes:
        repository: `owner/name`.
        number: Its number.
        token: A token that may write comments of pull requests.
        api: GitHub's REST API.
    """

    repository: str
    number: int
    token: str
    api: str = API

    @property
    def comments(self) -> str:
        """The path of its comments."""
        return f"{self.api.rstrip('/')}/repos/{self.repository}/issues/{self.number}/comments"


def comment(request: PullRequest, text: str, expected: str | None = None) -> tuple[str, str]:
    """Post a page, or edit the comment of the same author that begins with the same marker.

    Args:
        request: The pull request.
        text: The page; its first line is its marker, `<!-- ml-deployments ... -->`.
        expected: The marker that it must have; None for any.

    Returns:
        `posted` or `edited`, and the comment's address.

    Raises:
        UserError: the page has no marker or is too long, or GitHub did not accept it.
    """
    marker = text.partition("\n")[0].rstrip("\r")
    if not _MARKER.fullmatch(marker):
        raise UserError(
            "the page does not begin with a marker, so it could not be found again",
            "write it with `python -m delivery review --output FILE`",
        )
    if expected not in {None, marker}:
        raise UserError(
            f"the page is marked as another one, and not as {expected}",
            "name the page and the stage of the same review",
        )
    if len(text) > LONGEST_CHARACTERS:
        raise UserError(
            f"the page has {len(text):,} characters and GitHub accepts {LONGEST_CHARACTERS:,}",
            "write it without --full",
        )
    if not is_private(request.api):
        raise UserError(
            f"{request.api} is not over TLS, and everybody on the way could read the token",
            "set GITHUB_API_URL to its https address",
        )
    github = _GitHub(request)
    for attempt in range(1, _ATTEMPTS + 1):
        found = github.find(marker)
        try:
            if found is None:
                return "posted", github.post(text)
        except _UnclearError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
            continue
        # None when it was deleted since it was found.
        if (edited := github.edit(found, text)) is not None:
            return "edited", edited
    raise UserError(f"the comment was deleted {_ATTEMPTS} times while it was edited", "run it again")


class _Self(Document):
    login: str


class _User(Document):
    login: str = ""
    type: str = ""


class _Comment(Document):
    id: int
    html_url: str
    body: str | None = None
    # None for a deleted account.
    user: _User | None = None


class _Comments(Document):
    items: list[_Comment]


class _Refusal(Document):
    message: str = ""


class _GitHub:
    def __init__(self, request: PullRequest) -> None:
        self._request = request

    def find(self, marker: str) -> int | None:
        """The identifier of the oldest comment of our own that begins with the marker."""
        own = self._author()
        for found in self._comments():
            if (found.body or "").startswith(marker) and _is_by(found, own):
                return found.id
        return None

    def post(self, text: str) -> str:
        """Post a comment; returns its address."""
        return self._read(_Comment, self._existing("POST", self._request.comments, text)).html_url

    def edit(self, identifier: int, text: str) -> str | None:
        """Edit a comment; returns its address, or None when it no longer exists."""
        owner = f"{self._request.api.rstrip('/')}/repos/{self._request.repository}"
        edited = self._try("PATCH", f"{owner}/issues/comments/{identifier}", text)
        return None if edited is None else self._read(_Comment, edited).html_url

    def _comments(self) -> Iterator[_Comment]:
        for number in range(1, _MOST_PAGES + 1):
            answer = self._existing("GET", f"{self._request.comments}?per_page={_PAGE}&page={number}")
            found = self._read(_Comments, b'{"items": ' + answer + b"}").items
            yield from found
            if len(found) < _PAGE:
                return

    def _author(self) -> str | None:
        """The user of the token; None for a workflow's own token, which may not ask."""
        answer = self._send("GET", f"{self._request.api.rstrip('/')}/user")
        return self._read(_Self, answer.body).login if answer.status == HTTPStatus.OK else None

    def _existing(self, method: str, url: str, text: str | None = None) -> bytes:
        answer = self._try(method, url, text)
        if answer is None:
            raise UserError(
                f"GitHub has no {self._request.repository}#{self._request.number}, or the token may not see it",
                "check --repository, --pull-request and the token's permission pull-requests: write",
            )
        return answer

    def _try(self, method: str, url: str, text: str | None) -> bytes | None:
        answer = self._send(method, url, text)
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return answer.body
        unclear = method == "POST" and answer.status in _RETRIED
        raise (_UnclearError if unclear else UserError)(*_refusal(answer))

    def _send(self, method: str, url: str, text: str | None = None) -> Answer:
        for pause in _PAUSES_SECONDS if method != "POST" else ():
            try:
                answer = self._once(method, url, text)
            except (LateError, UnreachableError):
                time.sleep(pause)
                continue
            if answer.status not in _RETRIED:
                return answer
            time.sleep(_asked_for(answer) or pause)
        try:
            return self._once(method, url, text)
        except (LateError, UnreachableError) as error:
            raise (_UnclearError if method == "POST" else UserError)(
                f"{self._request.api} could not be reached: {error.reason}",
                "check the network, then run it again",
            ) from None

    def _once(self, method: str, url: str, text: str | None) -> Answer:
        client = Client(_SECONDS)
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._request.token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if text is None else json.dumps({"body": text}).encode()
        try:
            return within(_SECONDS, lambda: client.ask(method, url, headers=headers, data=data))
        except TimeoutError:
            raise client.late(self._request.api) from None

    def _read(self, kind: type[D], body: bytes) -> D:
        try:
            return read_document(kind, body)
        except ValueError as error:
            raise UserError(
                f"{self._request.api} did not answer as GitHub does ({error})", "check GITHUB_API_URL"
            ) from None


def _asked_for(answer: Answer) -> float | None:
    """The pause that the answer asks for, as far as it is waited for."""
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST_PAUSE_SECONDS) if said.isdecimal() else None


def _is_by(found: _Comment, own: str | None) -> bool:
    author = found.user or _User()
    # A workflow's token cannot find out its user; it writes as a bot, and a person's comment is never a bot's.
    return author.login == own if own is not None else author.type == "Bot"


def _refusal(answer: Answer) -> tuple[str, str]:
    try:
        said = read_document(_Refusal, answer.body).message[:_LONGEST_MESSAGE]
    except ValueError:
        said = answer.body[:_LONGEST_MESSAGE].decode(errors="replace")
    if answer.redirect is not None:
        fix = "set GITHUB_API_URL to where it redirects to, or the repository to its present name"
        said = f"a redirect to {answer.redirect[:_LONGEST_MESSAGE]}"
    elif answer.status == HTTPStatus.UNAUTHORIZED:
        fix = "set GITHUB_TOKEN to a token that is valid"
    elif answer.headers.get("x-ratelimit-remaining") == "0" or "rate limit" in said.lower():
        fix = "wait until the rate limit is reset, then run it again"
    elif answer.status == HTTPStatus.FORBIDDEN:
        fix = "give the token the permission pull-requests: write; pull requests from forks never have it"
    elif answer.status in _RETRIED:
        fix = "GitHub has a fault; run it again later"
    else:
        fix = "see GitHub's message"
    return f"GitHub answered {answer.status}: {said}", fix
