"""What MLflow stores and sends for the odd values, as its own code has them."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.settings.registries import RegisteredModel
from delivery.registries.errors import NotFound, RegistryError
from delivery.registries.mlflow_registry import ModelVersion, find_version
from tests.support.hostile_server import Asked, Play, answer, hostile

MODEL = RegisteredModel(name="m")
LOGGED = f"m-{'a' * 32}"
TAGGED = {"tags": [{"key": "version", "value": "v1"}]}
GONE = answer({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}, "404 Not Found")


def metric(
    value: object, timestamp: object = 1, step: object = 0, run: str = "r1", key: str = "f1"
) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": timestamp, "step": step, "run_id": run}


def version(**more: object) -> dict[str, Any]:
    return {"name": "m", "version": "2", "run_id": "r1", "source": "s3://models/x", **TAGGED, **more}


def find(
    *versions: dict[str, Any],
    run: dict[str, Any] | None = None,
    logged: list[dict[str, Any]] | None = None,
    history: list[dict[str, Any]] | None = None,
    copied: dict[str, str] | None = None,
) -> ModelVersion:
    """Ask a server; without a run, a logged model or a history it has none."""

    def route(asked: Asked) -> Play:
        query = {key: value[0] for key, value in parse_qs(urlsplit(asked.path).query).items()}
        source = (copied or {}).get(f"{query.get('name')}/{query.get('version')}")
        known: dict[str, object] = {
            "registered-models/get": {"registered_model": {"name": "m"}},
            "model-versions/search": {"model_versions": versions},
            "model-versions/get": source and {"model_version": version(source=source)},
            "runs/get": run and {"run": run},
            f"logged-models/{LOGGED}": logged and {"model": {"data": {"metrics": logged}}},
            "metrics/get-history": None if history is None else {"metrics": history},
        }
        found = known[urlsplit(asked.path).path.removeprefix("/api/2.0/mlflow/")]
        return answer(found) if found else GONE

    with hostile(route) as server:
        return find_version(f"http://{server.host}", MODEL, "v1")


def run(*metrics: dict[str, Any], stage: str = "active") -> dict[str, Any]:
    return {"info": {"lifecycle_stage": stage}, "data": {"metrics": metrics}}


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (0.84, "0.84"),
        (1, "1.0"),
        (1e-7, "1E-7"),
        (0.1 + 0.2, "0.30000000000000004"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        # What MLflow's databases keep of an infinite value.
        (1.7976931348623157e308, "Infinity"),
        (-1.7976931348623157e308, "-Infinity"),
        (1.7976931348623155e308, "1.7976931348623155E+308"),
    ],
)
def test_a_metric_is_the_double_that_was_logged(sent: object, known: str) -> None:
    found = find(version(), run=run(metric(sent)))
    assert str(found.metrics["f1"]) == str(Decimal(known))


def test_a_number_that_no_double_holds_is_not_finite() -> None:
    text = json.dumps({"run": run(metric(12345))}).replace("12345", "1e999999999999").encode()

    def route(asked: Asked) -> Play:
        if "runs/get" in asked.path:
            return answer(text)
        if "search" in asked.path:
            return answer({"model_versions": [version()]})
        return answer({"registered_model": {"name": "m"}})

    with hostile(route) as server:
        assert not find_version(f"http://{server.host}", MODEL, "v1").metrics["f1"].is_finite()


@pytest.mark.parametrize("sent", ["abc", None, True, [], {}, "", 10**400])
def test_a_metric_that_is_not_a_number_is_one_message(sent: object) -> None:
    with pytest.raises(RegistryError, match=r"run.data.metrics.0.value: .*it is not a number"):
        find(version(), run=run(metric(sent)))


@pytest.mark.parametrize(
    "source",
    [f"models:/{LOGGED}", f"mlflow-artifacts:/1/models/{LOGGED}/artifacts", f"s3://b/1/models/{LOGGED}"],
)
def test_a_logged_models_metrics_count_before_its_runs_and_the_newest_first(source: str) -> None:
    logged = [metric(0.7, 20, 0, "r2"), metric(0.6, 10, 99, "r1"), metric(0.5, "5", "7", "r3")]
    found = find(version(source=source), run=run(metric(0.9), metric(3.0, key="loss")), logged=logged)
    assert found.metrics == {"f1": Decimal("0.7"), "loss": Decimal("3.0")}
    assert found.gone == ()


@pytest.mark.parametrize(
    ("history", "known"),
    [
        ([metric(0.0, 5)], "0.0"),
        ([metric("NaN", 5)], "NaN"),
        ([metric(0.0, 4)], "NaN"),
        ([], "NaN"),
        (None, "NaN"),
    ],
)
def test_a_logged_models_zero_counts_where_its_run_says_that_it_is_one(
    history: list[dict[str, Any]] | None, known: str
) -> None:
    # MLflow's databases keep 0 for a logged model's NaN, without a mark.
    found = find(version(source=f"models:/{LOGGED}"), run=run(), logged=[metric(0.0, 5)], history=history)
    assert str(found.metrics["f1"]) == known


def test_a_copied_version_has_the_metrics_of_what_it_was_copied_from() -> None:
    copied = {"staging/7": "models:/a/b/3/", "a/b/3": f"models:/{LOGGED}"}
    found = find(version(source="models:/staging/7"), run=run(), logged=[metric(0.7)], copied=copied)
    assert found.metrics == {"f1": Decimal("0.7")}
    looped = find(version(source="models:/m/1"), run=run(), copied={"m/1": "models:/m/1"})
    assert looped.metrics == {}


@pytest.mark.parametrize(
    ("more", "had", "gone"),
    [
        ({}, None, "its run r1 was purged"),
        ({}, run(metric(0.9), stage="deleted"), "its run r1 was deleted"),
        ({"source": f"models:/{LOGGED}"}, run(), f"its logged model {LOGGED[:12]} was deleted"),
        ({"source": "models:/m/1"}, run(), "what it was copied from, models:/m/1, was deleted"),
    ],
)
def test_what_was_deleted_of_a_version_is_named(
    more: dict[str, Any], had: dict[str, Any] | None, gone: str
) -> None:
    assert find(version(**more), run=had).gone == (gone,)


def test_only_a_tag_of_exactly_this_text_counts() -> None:
    # A database whose collation has no cases finds all of these.
    other = {"tags": [{"key": "version", "value": "V1"}]}
    found = find(version(version="3", **other), version(version="4", name="M"), version(version=2), run=run())
    assert found.number == "2"
    with pytest.raises(NotFound, match="no version of m whose tag version is v1"):
        find(version(**other))


def test_a_version_that_is_not_registered_yet_is_refused() -> None:
    with pytest.raises(RegistryError, match=r"version 2 of m at .* is not ready: FAILED_REGISTRATION"):
        find(version(status="FAILED_REGISTRATION"))


def test_a_redirect_is_named_and_not_followed() -> None:
    def route(_: Asked) -> Play:
        return answer(b"", "302 Found", Location="https://login.example.com/?next=x")

    with (
        hostile(route) as server,
        pytest.raises(RegistryError, match=r"redirects to https://login.example.com/"),
    ):
        find_version(f"http://{server.host}", MODEL, "v1")
    assert len(server.asked) == 1
