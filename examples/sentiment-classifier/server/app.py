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
from server.features import FeatureReader, Outcome, ProductReviews
from server.measuring import PREDICT, Measuring
from server.messages import BadRequest, read_request
from server.metrics import Metrics
from server.model import Load, Model
from server.prior import with_prior
from server.settings import Settings
from server.status import Status

# More would only take CPU time from each other and from the event loop.
THREADS = 4
# What /predict answers about features where the server reads none.
NOT_CONFIGURED = "not_configured"


def create_app(settings: Settings, load: Load = load_classifier) -> Starlette:
    """The application. It starts to load the model when it starts.

    Args:
        settings: which model this is and where its file is.
        load: makes a classifier from the file.

    Returns:
        The application; `state.status` is what it is doing, and setting `draining` there makes it unready.
    """
    status = Status()
    metrics = Metrics(
        in_flight=lambda: status.in_flight, feature_outcomes=Outcome if settings.features else ()
    )
    features = None if settings.features is None else FeatureReader(settings.features, metrics)
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
            asked = await read_request(request)
        except BadRequest as error:
            return _refusal(422, str(error))
        loop = asyncio.get_running_loop()
        predictions, (read, reviews) = await asyncio.gather(
            loop.run_in_executor(pool, model.classifier.classify, asked.texts), read_features(asked.product)
        )
        if reviews is not None:
            predictions = with_prior(predictions, reviews.prior)
        answer = {**identity, "predictions": [each.model_dump() for each in predictions]}
        return JSONResponse(answer if read is None else {**answer, "features": read})

    async def read_features(product: str | None) -> tuple[str | None, ProductReviews | None]:
        """The outcome of the read, and the features if they were read; nothing where no product is named."""
        if product is None:
            return None, None
        return (NOT_CONFIGURED, None) if features is None else await features.read(product)

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.exposition(), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        model.start_loading()
        yield
        if features is not None:
            await features.close()
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
