"""Runs an application until SIGTERM, and then until its requests are answered."""

import time
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from server import log
from server.settings import Settings
from server.status import Status

# Together they stay below the 45 seconds that a pod has by default: 60 of grace minus 15 of pause before.
DRAIN_SECONDS = 30
CLOSE_SECONDS = 10


class DrainingServer(uvicorn.Server):
    """Keeps listening while requests are in flight after SIGTERM, so that /ready can report the state.

    uvicorn itself stops listening at the signal, and ends by the signal instead of with exit code 0.
    """

    def __init__(self, config: uvicorn.Config, status: Status) -> None:
        super().__init__(config)
        self._status = status
        self._deadline: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to drain; a second signal ends the wait. It does not log, because it may interrupt anything."""
        if self._status.draining:
            self.should_exit = True
        self._status.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second: is the last request answered, or the time over?"""
        if self._status.draining:
            if self._deadline is None:
                self._deadline = time.monotonic() + DRAIN_SECONDS
                log.event("draining", in_flight=self._status.in_flight)
            if self._status.in_flight == 0 or time.monotonic() >= self._deadline:
                self.should_exit = True
        return await super().on_tick(counter)


def serve(app: Starlette, settings: Settings) -> None:
    """Serves an application of `create_app` and returns after SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )
    log.event("starting", model=settings.model_name, version=settings.model_version, port=settings.port)
    DrainingServer(config, app.state.status).run()
    log.event("stopped")
