"""Stands in for the pods' network: KWOK's pods have addresses, but nothing runs behind them.

Prometheus scrapes them through this HTTP proxy on 127.0.0.1, which asks the real process that plays the pod. Nothing
else is replaced: targets, labels and addresses come from the API server, as the operator's configuration says.
"""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar
from urllib.parse import urlsplit

Answer = Callable[[str], str | None]


class PodNetwork:
    """A proxy that sends each request to whoever plays its host; unknown hosts are unreachable (502).

    Attributes:
        hosts: For each host, the address that plays it, or a function from path to text.
        asked: Every host and path that was asked for.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, str | Answer] = {}
        self.asked: set[tuple[str, str]] = set()
        network = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout: ClassVar[int] = 10

            def do_GET(self) -> None:
                body = network.get(self.path)
                self.send_response(502 if body is None else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Every scrape would be a line."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """What Prometheus is given as `proxy_url`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def get(self, url: str) -> bytes | None:
        """What the host behind an address answers; None when nobody does."""
        parts = urlsplit(url)
        self.asked.add((parts.hostname or "", parts.path))
        target = self.hosts.get(parts.hostname or "")
        if callable(target):
            text = target(parts.path)
            return None if text is None else text.encode()
        if target is None:
            return None
        try:
            with urllib.request.urlopen(f"{target}{parts.path}", timeout=5) as response:
                body: bytes = response.read()
                return body
        except (OSError, urllib.error.URLError):
            return None

    def __enter__(self) -> "PodNetwork":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
