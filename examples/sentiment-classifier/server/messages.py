"""What POST /predict accepts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

MAX_TEXTS = 64
MAX_CHARACTERS = 10_000
MAX_PRODUCT = 200
# JSON may write a character as two escapes of six bytes each; the rest is room for brackets and blanks.
MAX_BODY_BYTES = MAX_TEXTS * MAX_CHARACTERS * 12 + 65_536
_PROBLEMS_SHOWN = 5


class BadRequest(Exception):
    """The request cannot be answered; the message says why."""


class PredictRequest(BaseModel):
    """The body of POST /predict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    texts: list[Annotated[str, Field(max_length=MAX_CHARACTERS)]] = Field(min_length=1, max_length=MAX_TEXTS)
    product: Annotated[str, Field(min_length=1, max_length=MAX_PRODUCT)] | None = None
    """What the texts are about; its features are read when it is given."""


async def read_request(request: Request) -> PredictRequest:
    """The content of a request to /predict.

    Raises:
        BadRequest: the body is too long, not JSON, or not a valid PredictRequest.
    """
    try:
        return PredictRequest.model_validate_json(await _body(request))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        shown = [_where(problem["loc"]) + problem["msg"] for problem in problems[:_PROBLEMS_SHOWN]]
        if more := len(problems) - len(shown):
            shown.append(f"and {more} more")
        raise BadRequest("; ".join(shown)) from None


async def _body(request: Request) -> bytes:
    """The whole body, read only up to the longest valid length."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadRequest(f"the body is longer than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _where(location: tuple[int | str, ...]) -> str:
    """`("texts", 3)` is `texts[3]: `; the body as a whole has no name."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{path.removeprefix('.')}: " if path else ""
