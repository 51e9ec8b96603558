"""What MLflow's REST API answers, as far as it is read; the names are MLflow's own."""

import sys
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from delivery.http.documents import Document


def _number(value: object) -> Decimal:
    """A metric, which MLflow keeps as a double.

    In JSON, values that are not finite are texts. MLflow's databases keep an infinite value as the greatest finite one
    (`sanitize_metric_value` in mlflow/store/tracking/sqlalchemy_store.py), and answer with that.
    """
    try:
        number = float("true" if isinstance(value, bool) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise ValueError("it is not a number") from None
    if abs(number) >= sys.float_info.max:
        return Decimal("Infinity").copy_sign(Decimal(number))
    return Decimal(str(number))


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value


# Protobuf's own JSON writes a whole number of 64 bits as a text, and MLflow's as a number.
Whole = Annotated[int, BeforeValidator(_whole)]


class Tag(Document):
    """A tag of anything."""

    key: str
    value: str = ""


class Metric(Document):
    """A value of a metric, with the run that logged it where MLflow says so."""

    key: str
    value: Annotated[Decimal, Field(allow_inf_nan=True), BeforeValidator(_number)]
    timestamp: Whole = 0
    step: Whole = 0
    run_id: str = ""


class _Alias(Document):
    alias: str
    version: Whole


class Registered(Document):
    """A registered model."""

    name: str
    tags: list[Tag] = Field(default=[])
    aliases: list[_Alias] = Field(default=[])


class Version(Document):
    """A registered version."""

    name: str
    version: Whole
    run_id: str | None = None
    source: str | None = None
    status: str = "READY"
    tags: list[Tag] = Field(default=[])


class _RunInfo(Document):
    lifecycle_stage: str = "active"


class RunData(Document):
    """The last value of each metric, and the tags."""

    metrics: list[Metric] = Field(default=[])
    tags: list[Tag] = Field(default=[])


class _Dataset(Document):
    name: str
    digest: str


class _DatasetInput(Document):
    dataset: _Dataset


class _RunInputs(Document):
    dataset_inputs: list[_DatasetInput] = Field(default=[])


class Run(Document):
    """A training run."""

    info: _RunInfo = _RunInfo()
    data: RunData = RunData()
    inputs: _RunInputs = _RunInputs()


class _LoggedData(Document):
    metrics: list[Metric] = Field(default=[])


class Logged(Document):
    """A logged model, as MLflow has them since version 3: with every value of its metrics, from any run."""

    data: _LoggedData = _LoggedData()


class RegisteredAnswer(Document):
    """Of `registered-models/get`."""

    registered_model: Registered


class VersionsAnswer(Document):
    """Of `model-versions/search`."""

    model_versions: list[Version] = Field(default=[])


class VersionAnswer(Document):
    """Of `model-versions/get`."""

    model_version: Version


class RunAnswer(Document):
    """Of `runs/get`."""

    run: Run


class HistoryAnswer(Document):
    """Of `metrics/get-history`."""

    metrics: list[Metric] = Field(default=[])


class LoggedAnswer(Document):
    """Of `logged-models/<id>`."""

    model: Logged
