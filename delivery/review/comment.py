"""Posts a page as the comment of a pull request on GitHub, or edits the one that is there."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3

from components.errors import UserError

API = "https://api.github.com"
LONGEST_CHARACTERS = 65_536
_PAGE = 100
_MOST_PAGES = 100
_MARKER = re.compile(r"<!-- ml-deployments [^\n]+ -->")
_RETRIED = frozenset({429, 500, 502, 503, 504})
# Not a POST, which may have succeeded although its answer was lost: then the comment is searched for again.
_RETRIES = urllib3.Retry(
    total=4,
    backoff_factor=0.5,
    backoff_max=10,
    # A rate limit may last an hour, and a job has less time.
    retry_after_max=30,
    status_forcelist=_RETRIED,
    allowed_methods={"GET", "PATCH"},
    raise_on_status=False,
)
_SECONDS = urllib3.Timeout(connect=10, read=30)
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


def comment(request: PullRequest, text: str) -> tuple[str, str]:
    """Post a page, or edit the comment of the same author that begins with the same marker.

    Args:
        request: The pull request.
        text: The page; its first line is its marker, `<!-- ml-deployments ... -->`.

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
    if len(text) > LONGEST_CHARACTERS:
        raise UserError(
            f"the page has {len(text):,} characters and GitHub accepts {LONGEST_CHARACTERS:,}",
            "write it without --full",
        )
    with urllib3.PoolManager(timeout=_SECONDS, retries=_RETRIES) as pool:
        github = _GitHub(pool, request)
        for attempt in range(1, _ATTEMPTS + 1):
            found = github.find(marker)
            try:
                if found is None:
                    return "posted", github.call("POST", request.comments, {"body": text})["html_url"]
            except _UnclearError:
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE_SECONDS)
                continue
            # None when it was deleted since it was found.
            if (edited := github.edit(found, text)) is not None:
                return "edited", edited["html_url"]
    raise UserError(f"the comment was deleted {_ATTEMPTS} times while it was edited", "run it again")


class _GitHub:
    def __init__(self, pool: urllib3.PoolManager, request: PullRequest) -> None:
        self._pool, self._request = pool, request

    def find(self, marker: str) -> int | None:
        """The identifier of the oldest comment of our own that begins with the marker."""
        own = self._author()
        for found in self._comments():
            if found["body"].startswith(marker) and _is_by(found, own):
                identifier: int = found["id"]
                return identifier
        return None

    def edit(self, identifier: int, text: str) -> dict[str, Any] | None:
        """Edit a comment; None when it no longer exists."""
        owner = f"{self._request.api.rstrip('/')}/repos/{self._request.repository}"
        edited: dict[str, Any] | None = self._try(
            "PATCH", f"{owner}/issues/comments/{identifier}", {"body": text}
        )
        return edited

    def call(self, method: str, url: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401
        """What GitHub answers.

        Raises:
            UserError: it refused, or could not be reached.
        """
        answer = self._try(method, url, body)
        if answer is None:
            raise UserError(
                f"GitHub has no {self._request.repository}#{self._request.number}, or the token may not see it",
                "check --repository, --pull-request and the token's permission pull-requests: write",
            )
        return answer

    def _comments(self) -> Iterator[dict[str, Any]]:
        for number in range(1, _MOST_PAGES + 1):
            found = self.call("GET", f"{self._request.comments}?per_page={_PAGE}&page={number}")
            yield from ({**each, "body": each.get("body") or ""} for each in found)
            if len(found) < _PAGE:
                return

    def _author(self) -> str | None:
        """The user of the token; None for a workflow's own token, which may not ask."""
        response = self._send("GET", f"{self._request.api.rstrip('/')}/user", None)
        if response.status == HTTPStatus.OK:
            login: str = response.json()["login"]
            return login
        return None

    def _try(self, method: str, url: str, body: dict[str, str] | None) -> Any:  # noqa: ANN401
        response = self._send(method, url, body)
        if response.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            unclear = method == "POST" and response.status in _RETRIED
            raise (_UnclearError if unclear else UserError)(*_refusal(response))
        try:
            return response.json()
        except ValueError:
            raise UserError(f"{url} did not answer with JSON", "check GITHUB_API_URL") from None

    def _send(self, method: str, url: str, body: dict[str, str] | None) -> urllib3.BaseHTTPResponse:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._request.token}",
            "User-Agent": "ml-deployments",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if body is None else json.dumps(body).encode()
        try:
            return self._pool.request(method, url, body=data, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise (_UnclearError if method == "POST" else UserError)(
                f"{self._request.api} could not be reached: {reason}", "check the network, then run it again"
            ) from None


def _is_by(found: dict[str, Any], own: str | None) -> bool:
    author = found.get("user") or {}
    # A workflow's token cannot find out its user; it writes as a bot, and a person's comment is never a bot's.
    return author.get("login") == own if own is not None else author.get("type") == "Bot"


def _refusal(response: urllib3.BaseHTTPResponse) -> tuple[str, str]:
    try:
        said = str(response.json().get("message", ""))
    except (ValueError, AttributeError):
        said = response.data.decode(errors="replace")[:200]
    if response.status == HTTPStatus.UNAUTHORIZED:
        fix = "set GITHUB_TOKEN to a token that is valid"
    elif response.headers.get("x-ratelimit-remaining") == "0" or "rate limit" in said.lower():
        fix = "wait until the rate limit is reset, then run it again"
    elif response.status == HTTPStatus.FORBIDDEN:
        fix = "give the token the permission pull-requests: write; pull requests from forks never have it"
    elif response.status in _RETRIED:
        fix = "GitHub has a fault; run it again later"
    else:
        fix = "see GitHub's message"
    return f"GitHub answered {response.status}: {said}", fix
