"""A stand-in for GitHub's REST API of comments, on loopback: the real one needs the internet, an account and a token.

It pages, checks the token, and fails on request. Its answers have the fields of GitHub's own answers.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "made-at-run-time"
DEFAULT_PAGE = 30


@dataclass
class GitHub:
    """One pull request, `example/models#7`, and the user of the token.

    Attributes:
        url: Where it answers.
        login: The account of the token; None for a workflow's own token, which may not ask for it.
        comments: Those that are there, the oldest first.
        failures: The next answers to a method, before it works: status, headers, message.
        carried_out: A failing POST is carried out nevertheless.
        vanishing: The comments that are deleted right after they were listed.
        asked: Every request, as method and path.
    """

    url: str = ""
    login: str | None = "deployer"
    comments: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, list[tuple[int, dict[str, str], str]]] = field(default_factory=dict)
    carried_out: bool = False
    vanishing: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def add(self, body: str | None, login: str = "somebody", kind: str = "User") -> dict[str, Any]:
        """A comment of a user."""
        number = max((c["id"] for c in self.comments), default=0) + 1
        address = f"https://github.example.com/example/models/pull/7#issuecomment-{number}"
        made = {"id": number, "body": body, "html_url": address, "user": {"login": login, "type": kind}}
        self.comments.append(made)
        return made

    def bodies(self) -> list[str]:
        """The texts of all comments."""
        return [c["body"] for c in self.comments]


@contextmanager
def github() -> Iterator[GitHub]:
    """A stand-in that answers until the block ends."""
    state = GitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_PATCH(self) -> None:
            self._serve("PATCH")

        def _serve(self, method: str) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            state.asked.append(f"{method} {self.path}")
            path = urlsplit(self.path)
            if self.headers.get("authorization") != f"Bearer {TOKEN}":
                self._answer(401, {"message": "Bad credentials"})
            elif path.path == "/user":
                me = (200, {"login": state.login}) if state.login else (403, {"message": "not accessible"})
                self._answer(*me)
            elif state.failures.get(method):
                self._fail(method, body)
            elif path.path == "/repos/example/models/issues/7/comments":
                if method == "POST":
                    self._answer(201, self._post(body))
                else:
                    self._list(parse_qs(path.query))
            else:
                self._edit(path.path, body)

        def _fail(self, method: str, body: dict[str, str]) -> None:
            status, headers, message = state.failures[method].pop(0)
            if state.carried_out and method == "POST":
                self._post(body)
            self._answer(status, {"message": message}, headers)

        def _list(self, query: dict[str, list[str]]) -> None:
            size = min(int(query.get("per_page", [str(DEFAULT_PAGE)])[0]), 100)
            start = (int(query.get("page", ["1"])[0]) - 1) * size
            listed = state.comments[start : start + size]
            state.comments = [c for c in state.comments if c["id"] not in state.vanishing]
            self._answer(200, listed)

        def _edit(self, path: str, body: dict[str, str]) -> None:
            match = re.fullmatch(r"/repos/example/models/issues/comments/(\d+)", path)
            for found in state.comments:
                if match and found["id"] == int(match[1]):
                    found["body"] = body["body"]
                    return self._answer(200, found)
            return self._answer(404, {"message": "Not Found"})

        def _post(self, body: dict[str, str]) -> dict[str, Any]:
            kind = "User" if state.login else "Bot"
            return state.add(body["body"], state.login or "github-actions[bot]", kind)

        def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler
