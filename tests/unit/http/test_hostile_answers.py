"""Whatever a server answers, each client says one thing about it, in time and without much memory."""

import json
import resource
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest

from components.errors import UserError
from components.settings.registries import RegisteredModel
from delivery.http.client import Answer, Client
from delivery.registries.images import image_digest
from delivery.registries.mlflow_registry import find_version
from delivery.review import comment as comments
from delivery.review.comment import PullRequest, comment
from tests.support.hostile_server import ENDLESS, USELESS, Asked, Play, answer, hostile, mutated

PATIENT_SECONDS = 20.0
SHORT_SECONDS = 0.2
MARKER = "<!-- ml-deployments review: production -->"
Ask = Callable[[str, float], object]


def _digest(value: object) -> str:
    return f"sha256:{sha256(json.dumps(value).encode()).hexdigest()}"


CONFIG = {"architecture": "amd64", "os": "linux"}
_LAYER = {
    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
    "digest": f"sha256:{'1' * 64}",
    "size": 3,
}
_IMAGE_CONFIG = {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": _digest(CONFIG),
    "size": 9,
}
IMAGE = {"schemaVersion": 2, "config": _IMAGE_CONFIG, "layers": [_LAYER]}
_ENTRY = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "digest": _digest(IMAGE),
    "size": 9,
    "platform": CONFIG,
}
INDEX = {"schemaVersion": 2, "manifests": [_ENTRY]}
LOGGED_MODEL = f"m-{'0' * 32}"
_METRIC = {"key": "f1", "value": 0.0, "timestamp": 5, "step": 0, "run_id": "r"}

# Every request that a client makes, by a part of its path, with the honest answer.
IMAGES = {"manifests/v1": INDEX, "manifests/sha256": IMAGE, "blobs/sha256": CONFIG}
MLFLOW: dict[str, Any] = {
    "registered-models/get": {"registered_model": {"name": "m", "tags": [{"key": "owner", "value": "team"}]}},
    "model-versions/search": {
        "model_versions": [
            {
                "name": "m",
                "version": "2",
                "run_id": "r",
                "source": f"models:/{LOGGED_MODEL}",
                "tags": [{"key": "version", "value": "v1"}],
            }
        ]
    },
    "runs/get": {
        "run": {
            "info": {"lifecycle_stage": "active"},
            "data": {"metrics": [_METRIC], "tags": [{"key": "mlflow.user", "value": "u"}]},
            "inputs": {"dataset_inputs": [{"dataset": {"name": "d", "digest": "1"}}]},
        }
    },
    f"logged-models/{LOGGED_MODEL}": {"model": {"data": {"metrics": [_METRIC]}}},
    "metrics/get-history": {"metrics": [_METRIC]},
}
_COMMENT = {
    "id": 3,
    "html_url": "https://github.example.com/3",
    "body": f"{MARKER}\nold",
    "user": {"login": "u"},
}
EDITED: dict[str, Any] = {"GET /user": {"login": "u"}, "GET /repos": [_COMMENT], "PATCH /repos": _COMMENT}
POSTED: dict[str, Any] = {"GET /user": {"login": "u"}, "GET /repos": [], "POST /repos": _COMMENT}


def _image(host: str, seconds: float) -> object:
    return image_digest(f"{host}/m", "v1", seconds=seconds)


def _version(host: str, seconds: float) -> object:
    return find_version(f"http://{host}", RegisteredModel(name="m"), "v1", seconds=seconds)


def _comment(host: str, seconds: float) -> object:
    pull_request = PullRequest(repository="a/b", number=1, token="made-at-run-time", api=f"http://{host}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comments, "_SECONDS", seconds)
        return comment(pull_request, f"{MARKER}\nnew")


TALKS: list[tuple[Ask, dict[str, Any]]] = [
    (_image, IMAGES), (_version, MLFLOW), (_comment, EDITED), (_comment, POSTED),
]  # fmt: skip
REQUESTS = [
    pytest.param(ask, talk, request, id=f"{ask.__name__[1:]} {request[:22]}")
    for ask, talk in TALKS
    for request in talk
]


@pytest.fixture(autouse=True)
def without_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "_PAUSES_SECONDS", ())
    monkeypatch.setattr(comments, "_ATTEMPTS", 1)


def _talking(talk: dict[str, Any], at: str, play: Play) -> Callable[[Asked], Play]:
    """Honest, except for one request."""

    def route(asked: Asked) -> Play:
        line = f"{asked.method} {asked.path}"
        request = next((request for request in talk if request in line), None)
        if request is None:
            return answer({}, "404 Not Found")
        return play if request == at else answer(talk[request])

    return route


def _said(ask: Ask, host: str, seconds: float = PATIENT_SECONDS) -> str | None:
    """The error; None where the client could use the answer. Anything but a user's error fails the test."""
    try:
        ask(host, seconds)
    except UserError as error:
        said = error
    else:
        return None
    assert len(said.problems) == 1
    text = str(said)
    assert "\n" not in text
    assert len(text) < 1000
    text.encode()
    return text


@pytest.mark.parametrize(("ask", "talk"), TALKS)
def test_an_honest_server_is_understood(ask: Ask, talk: dict[str, Any]) -> None:
    with hostile(_talking(talk, "", answer(b""))) as server:
        assert _said(ask, server.host) is None
    assert len({f"{asked.method} {asked.path}" for asked in server.asked}) == len(talk)


@pytest.mark.parametrize("attack", ENDLESS)
@pytest.mark.parametrize(("ask", "talk", "request_"), REQUESTS)
def test_an_answer_without_end_is_given_up(
    ask: Ask, talk: dict[str, Any], request_: str, attack: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with hostile(_talking(talk, request_, ENDLESS[attack])) as server:
        assert _said(ask, server.host, SHORT_SECONDS) is not None
    assert time.monotonic() - started < PATIENT_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize("attack", USELESS)
@pytest.mark.parametrize(("ask", "talk", "request_"), REQUESTS)
def test_a_useless_answer_is_one_message(ask: Ask, talk: dict[str, Any], request_: str, attack: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile(_talking(talk, request_, USELESS[attack])) as server:
        said = _said(ask, server.host)
    # Who a workflow's token belongs to cannot be asked, so any refusal means that.
    if request_ != "GET /user":
        assert said is not None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize(("ask", "talk", "request_"), REQUESTS)
def test_a_part_of_another_type_is_at_most_one_message(
    ask: Ask, talk: dict[str, Any], request_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: list[object] = []

    def ask_server(_: Client, method: str, url: str, **__: object) -> Answer:
        line = f"{method} {urlsplit(url).path}"
        request = next((request for request in talk if request in line), None)
        body = json.dumps(odd[0] if request == request_ else talk.get(request or "")).encode()
        return Answer(url=url, status=200 if request else 404, headers={}, body=body)

    monkeypatch.setattr(Client, "ask", ask_server)
    for each in mutated(talk[request_]):
        odd[:] = [each]
        _said(ask, "127.0.0.1")
