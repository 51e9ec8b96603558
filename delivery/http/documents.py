"""Reads the JSON of an answer as what it has to be."""

import json
from threading import Lock
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

# A document of 16 MiB can take 400 MB as objects, so those of several answers are read one after the other.
_ONE_AT_A_TIME = Lock()


class Document(BaseModel):
    """A part of an answer; keys that are not asked for are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    @field_validator("*")
    @classmethod
    def _can_be_shown(cls, value: object) -> object:
        if isinstance(value, str):
            # JSON can name half a character, which no terminal and no file can take.
            value.encode()
        return value


D = TypeVar("D", bound=Document)


def read_document(kind: type[D], body: bytes) -> D:
    """The answer as a document.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or lacks what the document needs; its text says which.
    """
    try:
        with _ONE_AT_A_TIME:
            return kind.model_validate(json.loads(body.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
