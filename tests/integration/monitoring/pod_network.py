"""Stands in for the pods' network: KWOK's pods have addresses, but nothing runs behind them.

Prometheus scrapes them through this HTTP proxy on 127.0.0.1, which asks the real process that plays the pod. Nothing
else is replaced: targets, labels and addresses come from the API server, as the operator's configuration says.
"""

import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox.harness.loopback import LoopbackServer, QuietHandler

Answer = Callable[[str], str | None]


class PodNetwork(LoopbackServer):
    """A proxy that sends each request to the server that simulates its host; unknown hosts are unreachable (502).

    Attributes:
        hosts: For each host, the address that plays it, or a function from path to text.
        asked: Every host and path that was asked for.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, str | Answer] = {}
        self.asked: set[tuple[str, str]] = set()
        network = self

        class Handler(QuietHandler):
            timeout = 10

            def do_GET(self) -> None:
                body = network.get(self.path)
                self.answer(body or b"", 502 if body is None else 200)

        super().__init__(Handler)

    def get(self, url: str) -> bytes | None:
        """What the host behind an address answers; None without a host."""
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
