"""Asks an MLflow model registry for a version by the image's tag, over its REST API.

MLflow's own client for this, mlflow-skinny, adds 42 packages and 140 MB to the environment that runs the program;
the three requests here have been part of the REST API since MLflow 2.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import urllib3

from components.settings.registries import RegisteredModel
from delivery.registries.errors import Denied, NotFound, RegistryError, Unavailable

SECONDS = 10.0
_UNAUTHORIZED = (401, 403)


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """A registered version.

    Attributes:
        name: The registered model's.
        number: MLflow's own number of the version.
        version: The image's tag.
        aliases: What MLflow calls the version, like `champion`, by name.
        metrics: The last value of each metric of its run.
        run: The run that produced it; None when there is none.
        dataset: Name and digest of the first dataset the run read; None when it logged none.
        owner: The version's tag `owner`, else the registered model's, else the user of the run.
    """

    name: str
    number: str
    version: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, Decimal]
    run: str | None
    dataset: str | None
    owner: str | None


def find_version(
    address: str, model: RegisteredModel, version: str, *, seconds: float = SECONDS
) -> ModelVersion:
    """The registered version that carries the image's tag.

    Credentials come from MLflow's own variables MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD.

    Args:
        address: The tracking server.
        model: The registered model.
        version: The image's tag.
        seconds: How long the server may be silent.

    Raises:
        RegistryError: no version or several carry the tag, or the server does not return a usable answer.
    """
    server = _Server(address, seconds)
    registered = server.get("registered-models/get", name=model.name)["registered_model"]
    wanted = f"name = {_quoted(model.name)} AND tags.`{model.version_tag}` = {_quoted(version)}"
    found = server.get("model-versions/search", filter=wanted, max_results="2").get("model_versions", [])
    if not found:
        raise NotFound(
            f"{address} has no version of {model.name} whose tag {model.version_tag} is {version}",
            "register it with that tag, or correct the version",
        )
    if len(found) > 1:
        numbers = " and ".join(sorted(str(each["version"]) for each in found))
        raise RegistryError(
            f"versions {numbers} of {model.name} at {address} both have the tag {model.version_tag} = {version}",
            "remove the tag from the wrong one",
        )
    return _version(server, registered, found[0], version)


def _version(
    server: "_Server", registered: dict[str, Any], found: dict[str, Any], version: str
) -> ModelVersion:
    run_id = found.get("run_id") or None
    run = server.get("runs/get", run_id=run_id)["run"] if run_id else {}
    data, number = run.get("data", {}), str(found["version"])
    return ModelVersion(
        name=registered["name"],
        number=number,
        version=version,
        aliases=tuple(
            sorted(each["alias"] for each in registered.get("aliases", ()) if str(each["version"]) == number)
        ),
        metrics={each["key"]: _decimal(each["value"]) for each in data.get("metrics", ())},
        run=run_id,
        dataset=_dataset(run),
        owner=_tags(found).get("owner") or _tags(registered).get("owner") or _tags(data).get("mlflow.user"),
    )


def _decimal(value: object) -> Decimal:
    """A number from MLflow's JSON, in which values that are not finite are texts."""
    return Decimal(str(value))


def _tags(data: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in data.get("tags", ())}


def _dataset(run: Mapping[str, Any]) -> str | None:
    inputs = run.get("inputs", {}).get("dataset_inputs", ())
    return next((f"{i['dataset']['name']}@{i['dataset']['digest']}" for i in inputs), None)


def _quoted(text: str) -> str:
    # MLflow takes the text between the quotes literally; there are no escapes.
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"


class _Server:
    def __init__(self, address: str, seconds: float) -> None:
        self._address = address
        self._pool = urllib3.PoolManager(
            timeout=seconds, retries=False, headers=_credentials(), ca_certs=_authority()
        )
        self._seconds = seconds

    def get(self, path: str, **fields: str) -> dict[str, Any]:
        try:
            answer = self._pool.request("GET", f"{self._address}/api/2.0/mlflow/{path}", fields=fields)
        except urllib3.exceptions.HTTPError as error:
            # A refused connection is a kind of timeout to urllib3.
            refused = isinstance(error, urllib3.exceptions.NewConnectionError)
            if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
                raise Unavailable(
                    f"{self._address} did not answer within {self._seconds:.0f} s",
                    "try again; if it stays, look at the model registry",
                ) from None
            raise Unavailable(
                f"{self._address} cannot be asked ({str(error).rpartition(': ')[2]})",
                "correct modelRegistry.mlflow, or start the server",
            ) from None
        return self._read(answer)

    def _read(self, answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        if answer.status in _UNAUTHORIZED:
            raise Denied(
                f"{self._address} requires other credentials ({answer.status})",
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            )
        try:
            data = json.loads(answer.data, parse_float=Decimal)
        except ValueError:
            data = None
        if answer.status == 200 and isinstance(data, dict):  # noqa: PLR2004
            return data
        said = data.get("message", "") if isinstance(data, dict) else "which is not an answer of MLflow"
        if isinstance(data, dict) and data.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            raise NotFound(f"{self._address}: {said}", "register the model, or correct registeredModel.name")
        raise Unavailable(
            f"{self._address} answered {answer.status}: {said}",
            "look at the model registry, or correct modelRegistry.mlflow",
        )


def _credentials() -> dict[str, str]:
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if token:
        return {"Authorization": f"Bearer {token}"}
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    if user is None or password is None:
        return {}
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def _authority() -> str | None:
    return os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None
