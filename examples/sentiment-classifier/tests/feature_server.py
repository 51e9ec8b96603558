"""A stand-in for Feast's feature server that answers what a test says, right or wrong.

The real one is asked in the project's integration tests; its answers have the form of `answer_for` here.
"""

import contextlib
import http.server
import json
import socket
import threading
from types import TracebackType
from typing import Any


def answer_for(**features: Any) -> dict[str, Any]:
    """Feast's answer for one product."""
    values = {"product_id": "kettle-01", **features}
    return {
        "metadata": {"feature_names": list(values)},
        # Feast also marks a null as PRESENT when the online store is Redis.
        "results": [
            {"values": [value], "statuses": ["PRESENT"], "event_timestamps": ["2026-01-01T00:00:00Z"]}
            for value in values.values()
        ],
    }


class FeatureServer:
    """Serves on 127.0.0.1, by default on a free port, during a `with` block."""

    def __init__(self, port: int = 0) -> None:
        self.answers = threading.Event()
        """Cleared: it accepts requests and answers none."""
        self.reset()
        self._connections: list[socket.socket] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server._connections.append(self.connection)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.append((self.path, asked))
                server.answers.wait(30)
                body = server.body if isinstance(server.body, bytes) else json.dumps(server.body).encode()
                self.send_response(server.code)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def reset(self) -> None:
        """Forget earlier requests, and answer correctly."""
        self.code = 200
        self.body: object = answer_for(review_count=98, positive_count=89)
        self.asked: list[tuple[str, Any]] = []
        self.answers.set()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "FeatureServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
