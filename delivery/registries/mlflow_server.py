"""Sends requests to an MLflow server and reads its answers."""

import os
from collections.abc import Mapping
from typing import TypeVar

from delivery.http.client import Answer, Client, HttpError, NotTlsError, UnreachableError
from delivery.http.documents import Document, read_document
from delivery.registries.errors import Denied, NotFound, RegistryError, Unavailable
from delivery.registries.mlflow_credentials import authorization, withheld

D = TypeVar("D", bound=Document)
_OK = 200
_UNAUTHORIZED = (401, 403)
_LONGEST_MESSAGE = 300


class _Refusal(Document):
    error_code: str
    message: str = ""


class MlflowServer:
    """A tracking server with its model registry."""

    def __init__(self, address: str, seconds: float) -> None:
        """Nothing is asked yet.

        Args:
            address: The server.
            seconds: How long all answers may take together.
        """
        self.address = address
        self._client = Client(seconds, authority=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None)

    def get(self, kind: type[D], path: str, fields: Mapping[str, str] | None = None) -> D:
        """An answer of the REST API.

        Args:
            kind: What it has to be.
            path: Below `api/2.0/mlflow/`.
            fields: The query.

        Raises:
            NotFound: the server does not have it.
            Denied: the server requires credentials, or other ones.
            Unavailable: no usable answer.
        """
        try:
            answer = self._client.ask(
                "GET",
                f"{self.address}/api/2.0/mlflow/{path}",
                fields=fields,
                headers=authorization(self.address),
            )
        except (NotTlsError, UnreachableError) as error:
            raise Unavailable(error.reason, "correct modelRegistry.mlflow, or start the server") from None
        except HttpError as error:
            raise Unavailable(error.reason, error.fix) from None
        if answer.status == _OK:
            try:
                return read_document(kind, answer.body)
            except ValueError as error:
                raise self.odd(f"answered 200: which is not an answer of MLflow ({error})") from None
        raise self._refused(answer)

    def late(self) -> Unavailable:
        """The error of an answer that is not there in time."""
        return Unavailable(
            self._client.late(self.address).reason, "try again; if it stays, look at the model registry"
        )

    def odd(self, said: str) -> Unavailable:
        """The error of an answer that is not one of MLflow."""
        return Unavailable(
            f"{self.address} {said}", "look at the model registry, or correct modelRegistry.mlflow"
        )

    def _refused(self, answer: Answer) -> RegistryError:
        if answer.status in _UNAUTHORIZED:
            return self._denied(answer.status)
        if answer.redirect is not None:
            return Unavailable(
                f"{self.address} redirects to {answer.redirect[:_LONGEST_MESSAGE]}, and is not followed there",
                "write the address where MLflow itself answers in modelRegistry.mlflow",
            )
        try:
            refusal = read_document(_Refusal, answer.body)
        except ValueError:
            return self.odd(f"answered {answer.status}: which is not an answer of MLflow")
        said = refusal.message[:_LONGEST_MESSAGE]
        if refusal.error_code == "RESOURCE_DOES_NOT_EXIST":
            return NotFound(f"{self.address}: {said}", "register the model, or correct registeredModel.name")
        return self.odd(f"answered {answer.status}: {said}")

    def _denied(self, status: int) -> Denied:
        why = withheld(self.address)
        if why is not None:
            return Denied(
                f"{self.address} requires credentials ({status}) and was asked without those of the environment: {why}",
                "use https, and set MLFLOW_TRACKING_URI to this address where the credentials are for it",
            )
        return Denied(
            f"{self.address} requires other credentials ({status})",
            "set MLFLOW_TRACKING_URI to this address, with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN",
        )
