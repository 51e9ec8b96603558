"""Counts and times every request to /predict, whatever its outcome."""

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import log
from server.metrics import Metrics
from server.status import Status

PREDICT = "/predict"


class Measuring:
    """ASGI middleware. It also turns an unexpected exception into an answer, so that it is counted like any other."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, status: Status) -> None:
        self._app = app
        self._metrics = metrics
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes every request on, and measures those to /predict."""
        if scope["type"] != "http" or scope["path"] != PREDICT:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answered = False

        async def send_measured(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                # Counted before it is sent: a client that has the answer finds it in the metrics.
                self._count(message["status"], time.perf_counter() - started)
                if self._status.draining:
                    MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        self._status.in_flight += 1
        try:
            await self._app(scope, receive, send_measured)
        except ClientDisconnect:
            log.event("request cancelled by the client")
        except Exception:
            log.event("request failed", level=logging.ERROR, traceback=True)
            if not answered:
                answer = JSONResponse({"reason": "the server failed; its log says why"}, status_code=500)
                await answer(scope, receive, send_measured)
        finally:
            self._status.in_flight -= 1

    def _count(self, code: int, seconds: float) -> None:
        self._metrics.requests.labels(str(code)).inc()
        self._metrics.duration.observe(seconds)
        log.event("request", code=code, seconds=round(seconds, 4))
