"""What can go wrong, told as the official plugin would."""

from typing import Any, NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.stand_ins.kubernetes_provider.structs import to_struct


class ProviderError(Exception):
    """An operation failed and changed nothing; the message is for the user."""


class NotFoundError(ProviderError):
    """The API server does not know the object, or its namespace."""


class UnknownKindError(ProviderError):
    """The API server serves no such kind."""


class FieldConflictError(ProviderError):
    """Another field manager owns fields of an apply."""


class NotReadyError(Exception):
    """An object exists but did not become ready.

    Attributes:
        live: The object as it is in the cluster.
    """

    def __init__(self, reason: str, live: dict[str, Any]) -> None:
        super().__init__(reason)
        self.live = live


def abort_not_ready(
    context: grpc.ServicerContext, *, identifier: str, inputs: Any, error: NotReadyError
) -> NoReturn:
    """End the call so that the engine records the object and shows why it is not ready."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=identifier, properties=to_struct(error.live), reasons=[str(error)], inputs=inputs
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort raises")
