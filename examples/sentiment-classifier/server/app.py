"""The HTTP interface."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.classifier import load_classifier
from server.measuring import PREDICT, Measuring
from server.messages import BadRequest, read_texts
from server.metrics import Metrics
from server.model import Load, Model
from server.settings import Settings
from server.status import Status

# More would only take the processor from each other and from the event loop.
THREADS = 4


def create_app(settings: Settings, load: Load = load_classifier) -> Starlette:
    """The application. It starts to load the model when it starts.

    Args:
        settings: which model this is and where its file lies.
        load: makes a classifier from the file.

    Returns:
        The application; `state.status` is what it is doing, and setting `draining` there makes it unready.
    """
    status = Status()
    metrics = Metrics(in_flight=lambda: status.in_flight)
    model = Model(settings.model_path, load, metrics)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="classify")
    identity = {"model": settings.model_name, "version": settings.model_version}

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        if status.draining:
            return _refusal(503, "the server is shutting down")
        if model.classifier is None:
            return _refusal(503, model.why_not)
        return JSONResponse({"status": "ready", **identity})

    async def predict(request: Request) -> Response:
        if model.classifier is None:
            return _refusal(503, model.why_not)
        try:
            texts = await read_texts(request)
        except BadRequest as error:
            return _refusal(422, str(error))
        loop = asyncio.get_running_loop()
        predictions = await loop.run_in_executor(pool, model.classifier.classify, texts)
        return JSONResponse({**identity, "predictions": [each.model_dump() for each in predictions]})

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.exposition(), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        model.start_loading()
        yield
        pool.shutdown(wait=False)

    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route(PREDICT, predict, methods=["POST"]),
            Route("/metrics", show_metrics),
        ],
        middleware=[Middleware(Measuring, metrics=metrics, status=status)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.status = status
    return app


def _refusal(code: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status_code=code)


async def _http_error(_: Request, error: Exception) -> Response:
    """Unknown paths and methods, in JSON like every other answer."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"reason": error.detail}, status_code=error.status_code, headers=error.headers)
