"""Asks an MLflow model registry for a version by the image's tag, over its REST API.

MLflow's own client for this, mlflow-skinny, adds 42 packages and 140 MB to the environment that runs the program; most
of the requests here have been part of the REST API since MLflow 2, and logged models since MLflow 3.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from components.settings.registries import RegisteredModel
from delivery.http.deadline import within
from delivery.registries.errors import NotFound, RegistryError
from delivery.registries.mlflow_documents import (
    HistoryAnswer,
    LoggedAnswer,
    Metric,
    Registered,
    RegisteredAnswer,
    Run,
    RunAnswer,
    Tag,
    Version,
    VersionAnswer,
    VersionsAnswer,
)
from delivery.registries.mlflow_server import MlflowServer

# For everything that is asked about one version.
SECONDS = 20.0
# A version that was copied from another names it as its source.
_MOST_COPIES = 4
# By its name, or by the place of its files.
_LOGGED_MODEL = re.compile(r"(?:models:|.*/models)/(m-[0-9a-f]{32})(?:/.*)?")
_COPIED = re.compile(r"models:/(?P<name>.+)/(?P<version>\d+)/?")


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """A registered version.

    Attributes:
        name: The registered model's.
        number: MLflow's own number of the version.
        version: The image's tag.
        aliases: What MLflow calls the version, like `champion`, by name.
        metrics: The newest value of each metric: of its logged model, else of its run.
        run: The run that produced it; None when there is none.
        dataset: Name and digest of the first dataset the run read; None when it logged none.
        owner: The version's tag `owner`, else the registered model's, else the user of the run.
        gone: What MLflow has deleted of it, like `its run 1f2e was purged`; its metrics may be those of something else.
    """

    name: str
    number: str
    version: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, Decimal]
    run: str | None
    dataset: str | None
    owner: str | None
    gone: tuple[str, ...] = ()


def find_version(
    address: str, model: RegisteredModel, version: str, *, seconds: float = SECONDS
) -> ModelVersion:
    """The registered version that carries the image's tag.

    Credentials come from MLflow's own variables MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD, and
    are only for the server that MLFLOW_TRACKING_URI names.

    Args:
        address: The tracking server.
        model: The registered model.
        version: The image's tag.
        seconds: How long the server may take for all answers together.

    Raises:
        RegistryError: no version or several carry the tag, or the server does not return a usable answer.
    """
    server = MlflowServer(address, seconds)
    try:
        return within(seconds, lambda: _find(server, model, version))
    except TimeoutError:
        raise server.late() from None


def _find(server: MlflowServer, model: RegisteredModel, version: str) -> ModelVersion:
    registered = server.get(RegisteredAnswer, "registered-models/get", {"name": model.name}).registered_model
    wanted = f"name = {_quoted(model.name)} AND tags.`{model.version_tag}` = {_quoted(version)}"
    answer = server.get(VersionsAnswer, "model-versions/search", {"filter": wanted, "max_results": "50"})
    # Databases compare texts without case or trailing spaces, as their collation says.
    found = [
        each
        for each in answer.model_versions
        if each.name == model.name and _tags(each.tags).get(model.version_tag) == version
    ]
    if not found:
        raise NotFound(
            f"{server.address} has no version of {model.name} whose tag {model.version_tag} is {version}",
            "register it with that tag, or correct the version",
        )
    if len(found) > 1:
        numbers = " and ".join(sorted(str(each.version) for each in found))
        raise RegistryError(
            f"versions {numbers} of {model.name} at {server.address} both have the tag {model.version_tag} = {version}",
            "remove the tag from the wrong one",
        )
    if found[0].status != "READY":
        raise RegistryError(
            f"version {found[0].version} of {model.name} at {server.address} is not ready: {found[0].status[:100]}",
            "register it again, or wait until it is registered",
        )
    return _version(server, registered, found[0], version)


def _version(server: MlflowServer, registered: Registered, found: Version, version: str) -> ModelVersion:
    gone: list[str] = []
    run = _run(server, found.run_id, gone)
    metrics = {metric.key: metric.value for metric in run.data.metrics} | _logged(server, found, gone)
    return ModelVersion(
        name=registered.name,
        number=str(found.version),
        version=version,
        aliases=tuple(sorted(each.alias for each in registered.aliases if each.version == found.version)),
        metrics=metrics,
        run=found.run_id or None,
        dataset=_dataset(run),
        owner=(
            _tags(found.tags).get("owner")
            or _tags(registered.tags).get("owner")
            or _tags(run.data.tags).get("mlflow.user")
        ),
        gone=tuple(gone),
    )


def _run(server: MlflowServer, identifier: str | None, gone: list[str]) -> Run:
    """The run; an empty one where there is none."""
    if not identifier:
        return Run()
    try:
        run = server.get(RunAnswer, "runs/get", {"run_id": identifier}).run
    except NotFound:
        gone.append(f"its run {identifier[:12]} was purged")
        return Run()
    if run.info.lifecycle_stage != "active":
        gone.append(f"its run {identifier[:12]} was deleted")
    return run


def _logged(server: MlflowServer, found: Version, gone: list[str]) -> dict[str, Decimal]:
    """The newest value of each metric that any run logged for the version's logged model; empty where it has none."""
    try:
        identifier = _logged_model(server, found)
    except NotFound:
        gone.append(f"what it was copied from, {(found.source or '')[:100]}, was deleted")
        return {}
    if identifier is None:
        return {}
    try:
        metrics = server.get(LoggedAnswer, f"logged-models/{identifier}").model.data.metrics
    except NotFound:
        gone.append(f"its logged model {identifier[:12]} was deleted")
        return {}
    # The steps of two runs have nothing to do with each other, so time decides first, as in MLflow's own order.
    newest = {each.key: each for each in sorted(metrics, key=lambda each: (each.timestamp, each.step))}
    return {key: each.value if each.value else _zero(server, each) for key, each in newest.items()}


def _zero(server: MlflowServer, metric: Metric) -> Decimal:
    """A logged model's zero, which is also what MLflow's databases keep of its NaN.

    Only the table of a run's metrics marks NaN (`_log_model_metrics` in mlflow/store/tracking/sqlalchemy_store.py does
    not), so the run that logged it is asked.
    """
    fields = {"run_id": metric.run_id, "metric_key": metric.key}
    try:
        history = server.get(HistoryAnswer, "metrics/get-history", fields).metrics
    except NotFound:
        history = []
    same = [each.value for each in history if (each.timestamp, each.step) == (metric.timestamp, metric.step)]
    return metric.value if same and all(value.is_finite() for value in same) else Decimal("NaN")


def _logged_model(server: MlflowServer, found: Version) -> str | None:
    source = found.source or ""
    for _ in range(_MOST_COPIES):
        copied = _COPIED.fullmatch(source)
        if copied is None:
            break
        answer = server.get(VersionAnswer, "model-versions/get", copied.groupdict())
        source = answer.model_version.source or ""
    logged = _LOGGED_MODEL.fullmatch(source)
    return logged and logged[1]


def _tags(tags: Iterable[Tag]) -> dict[str, str]:
    return {tag.key: tag.value for tag in tags}


def _dataset(run: Run) -> str | None:
    inputs = run.inputs.dataset_inputs
    return next((f"{each.dataset.name}@{each.dataset.digest}" for each in inputs), None)


def _quoted(text: str) -> str:
    # MLflow takes the text between the quotes literally; there are no escapes.
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"
