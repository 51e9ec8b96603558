import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Start
from server_process import ServerProcess, eventually

SERIES = {
    "model_requests_total",
    "model_request_duration_seconds_bucket",
    "model_request_duration_seconds_count",
    "model_request_duration_seconds_sum",
    "model_requests_in_flight",
    "model_loaded",
    "model_load_failures_total",
}


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def requests(server: ServerProcess) -> dict[str, float]:
    """Requests counted so far, by status code."""
    return {key[1]: value for key, value in server.metrics().items() if key[0] == "model_requests_total"}


def test_requests_are_counted_by_code_and_timed(scripted: ServerProcess) -> None:
    assert requests(scripted) == {"200": 0, "422": 0, "500": 0, "503": 0}
    scripted.predict("good")
    scripted.predict("good")
    scripted.predict()
    assert requests(scripted) == {"200": 2, "422": 1, "500": 0, "503": 0}
    metrics = scripted.metrics()
    assert metrics["model_request_duration_seconds_count",] == 3
    assert metrics["model_request_duration_seconds_bucket", "+Inf"] == 3
    assert 0 < metrics["model_request_duration_seconds_sum",] < 3
    assert metrics["model_requests_in_flight",] == 0


def test_health_checks_and_scrapes_are_not_counted(scripted: ServerProcess) -> None:
    for path in ("/health", "/ready", "/metrics", "/nowhere"):
        scripted.get(path)
    assert set(requests(scripted).values()) == {0}


def test_the_series_are_exactly_those_of_the_contract(scripted: ServerProcess) -> None:
    assert scripted.get("/metrics").content_type.startswith("text/plain; version=0.0.4")
    samples = scripted.metrics()
    names = {name for name, *_ in samples}
    assert {name for name in names if not name.startswith(("python_", "process_"))} == SERIES
    buckets = [key[1] for key in samples if key[0] == "model_request_duration_seconds_bucket"]
    assert buckets == "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf".split()  # noqa: SIM905


def test_an_exception_in_the_classifier_is_a_counted_500_without_a_traceback(scripted: ServerProcess) -> None:
    answer = scripted.predict("explode")
    assert answer.code == 500
    assert answer.json == {"reason": "the server failed; its log says why"}
    assert requests(scripted)["500"] == 1
    assert scripted.metrics()["model_request_duration_seconds_count",] == 1
    [failure] = [line for line in scripted.log() if line["event"] == "request failed"]
    assert "RuntimeError: the classifier exploded" in failure["traceback"]
    assert scripted.predict("good").code == 200


def test_health_answers_while_every_thread_is_classifying(
    scripted: ServerProcess, callers: ThreadPoolExecutor, tmp_path: Path
) -> None:
    waiting = [callers.submit(scripted.predict, "wait") for _ in range(6)]
    assert eventually(lambda: scripted.in_flight() == 6)
    assert scripted.get("/health").code == 200
    assert scripted.is_ready()
    assert not any(request.done() for request in waiting)
    (tmp_path / "answer").touch()
    assert [request.result().code for request in waiting] == [200] * 6
    assert eventually(lambda: scripted.in_flight() == 0)


def test_sigterm_lets_a_request_in_flight_finish(
    scripted: ServerProcess, callers: ThreadPoolExecutor, tmp_path: Path
) -> None:
    waiting = callers.submit(scripted.predict, "wait")
    assert eventually(lambda: scripted.in_flight() == 1)
    scripted.terminate()
    assert eventually(lambda: not scripted.is_ready())
    # Long enough for a server that does not wait to stop listening.
    time.sleep(0.5)
    assert scripted.get("/ready").json == {"reason": "the server is shutting down"}
    assert scripted.get("/health").code == 200
    late = scripted.predict("sent before the change was known everywhere")
    assert (late.code, late.last_on_connection) == (200, True)
    assert not waiting.done()
    (tmp_path / "answer").touch()
    assert waiting.result().code == 200
    assert scripted.exit_code() == 0
    assert [line["event"] for line in scripted.log()][-1] == "stopped"


def test_a_second_signal_still_finishes_what_is_in_flight(
    scripted: ServerProcess, callers: ThreadPoolExecutor, tmp_path: Path
) -> None:
    waiting = callers.submit(scripted.predict, "wait")
    assert eventually(lambda: scripted.in_flight() == 1)
    scripted.terminate()
    assert eventually(lambda: not scripted.is_ready())
    scripted.terminate()
    (tmp_path / "answer").touch()
    assert waiting.result().code == 200
    assert scripted.exit_code() == 0


def test_the_log_is_json_and_never_holds_a_text(start: Start, model_path: Path) -> None:
    server = start(MODEL_PATH=str(model_path))
    assert eventually(server.is_ready)
    server.predict("my secret opinion")
    server.post({"texts": ["my secret opinion", 3]})
    server.terminate()
    assert server.exit_code() == 0
    events = server.log()
    assert [event["event"] for event in events] == [
        "starting",
        "model loaded",
        "request",
        "request",
        "draining",
        "stopped",
    ]
    assert [event["code"] for event in events if event["event"] == "request"] == [200, 422]
    assert "secret" not in str(events)
