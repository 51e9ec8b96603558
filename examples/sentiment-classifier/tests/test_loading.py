from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io  # type: ignore[import-untyped]
from conftest import Start
from server_process import SCRIPTED, ServerProcess, eventually, run_python
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]

from server.classifier import LoadError, load_classifier

Make = Callable[[Path, Path], object]


def test_while_the_model_loads_the_server_is_alive_but_not_ready(start: Start, tmp_path: Path) -> None:
    server = start(*SCRIPTED, SCRIPT_DIR=str(tmp_path))
    assert server.get("/health").code == 200
    for answer in (server.get("/ready"), server.predict("good")):
        assert answer.code == 503
        assert answer.json == {"reason": "the model is still loading"}
    assert server.metrics()["model_loaded",] == 0
    (tmp_path / "load").touch()
    assert eventually(server.is_ready)
    assert server.predict("good").code == 200
    assert server.metrics()["model_loaded",] == 1


def missing(path: Path, model: Path) -> None:
    pass


def a_folder(path: Path, model: Path) -> None:
    path.mkdir()


def cut_short(path: Path, model: Path) -> None:
    path.write_bytes(model.read_bytes()[:1000])


def damaged(path: Path, model: Path) -> None:
    content = bytearray(model.read_bytes())
    middle = slice(len(content) // 3, len(content) // 2)
    content[middle] = bytes(middle.stop - middle.start)
    path.write_bytes(content)


def another_object(path: Path, model: Path) -> None:
    skops.io.dump({"weights": [1, 2]}, path)


def a_function(path: Path, model: Path) -> None:
    skops.io.dump(run_python, path)


def an_untrained_model(path: Path, model: Path) -> None:
    skops.io.dump(Pipeline([("words", TfidfVectorizer()), ("regression", LogisticRegression())]), path)


def other_labels(path: Path, model: Path) -> None:
    pipeline = Pipeline([("words", TfidfVectorizer()), ("regression", LogisticRegression())])
    skops.io.dump(pipeline.fit(["good", "bad"], ["up", "down"]), path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing, "there is no such file"),
        (a_folder, "cannot be read: Is a directory"),
        (cut_short, "is not a skops file, or is damaged"),
        (damaged, "is not a skops file, or is damaged"),
        (a_function, "is not a skops file, or is damaged: Untrusted types found"),
        (another_object, "contains a dict, not the pipeline that train.py writes"),
        (an_untrained_model, "contains a pipeline that cannot classify"),
        (other_labels, "has the labels down, up, not negative, positive"),
    ],
)
def test_a_wrong_model_file_is_named_with_what_is_wrong_in_one_line(
    tmp_path: Path, model_path: Path, make: Make, reason: str
) -> None:
    path = tmp_path / "model.skops"
    make(path, model_path)
    with pytest.raises(LoadError) as error:
        load_classifier(path)
    assert str(error.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "reason"), [(missing, "there is no such file"), (damaged, "is not a skops file")]
)
def test_a_model_that_cannot_be_loaded_stops_the_rollout_but_not_the_process(
    start: Start, tmp_path: Path, model_path: Path, make: Make, reason: str
) -> None:
    path = tmp_path / "model.skops"
    make(path, model_path)
    server = start(MODEL_PATH=str(path))
    assert eventually(lambda: server.metrics()["model_load_failures_total",] == 1)
    for answer in (server.get("/ready"), server.predict("good")):
        assert answer.code == 503
        assert f"{path}: {reason}" in answer.json["reason"]
    assert server.get("/health").code == 200
    assert server.metrics()["model_loaded",] == 0
    [failure] = [line for line in server.log() if line["event"] == "model load failed"]
    assert f"{path}: {reason}" in failure["reason"]
    assert "traceback" not in failure
    stops_cleanly(server)


def stops_cleanly(server: ServerProcess) -> None:
    server.terminate()
    assert server.exit_code() == 0


def test_sigterm_ends_a_server_whose_model_is_still_loading(start: Start, tmp_path: Path) -> None:
    stops_cleanly(start(*SCRIPTED, SCRIPT_DIR=str(tmp_path)))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "cannot start: MODEL_NAME is not set; MODEL_VERSION is not set"),
        ({"MODEL_NAME": "a", "MODEL_VERSION": ""}, "cannot start: MODEL_VERSION is not set"),
        ({"MODEL_NAME": "a", "MODEL_VERSION": "v1", "PORT": "70000"}, "cannot start: PORT is wrong: "),
    ],
)
def test_a_wrong_environment_is_one_line_and_exit_code_2(variables: dict[str, str], message: str) -> None:
    ended = run_python("-m", "server", **variables)
    assert ended.returncode == 2
    assert ended.stderr.startswith(message)
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
