"""The feature store for real: Feast, Redis and a SQL registry, and the example model server that reads from them."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.settings.feature_store import REDIS_PASSWORD
from sandbox.harness.clone import CHECKOUT
from sandbox.harness.feature_store.store import PYTHON, SERVICE, VIEW, Serving, Store, feature_store
from sandbox.harness.registries import EXAMPLE, EXAMPLE_PYTHON
from sandbox.harness.waiting import eventually
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from tests.integration.monitoring.scene import trained_model

HEADING = "Features of test\n\n"
TEXT = "The kettle is here."
KETTLE = {"product_id": "kettle-01", "review_count": 85, "positive_count": 12}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A separate store for the test; nothing runs, and nothing is applied."""
    return feature_store(tmp_path)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store whose Redis has the newest values, and does not run."""
    store = feature_store(tmp_path_factory.mktemp("filled"))
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
    return store


@pytest.fixture(scope="module")
def server(filled: Store) -> Iterator[Serving]:
    """The server of the filled store; it starts while the Redis runs."""
    with ExitStack() as stack:
        with filled.redis():
            serving = stack.enter_context(filled.serving())
        yield serving


@pytest.fixture
def serving(filled: Store, server: Serving) -> Iterator[Serving]:
    """The server, while the Redis runs again with what was written."""
    with filled.redis():
        yield server


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_model(tmp_path_factory.mktemp("model"))


@contextmanager
def model_server(url: str, model: Path, folder: Path) -> Iterator[str]:
    """The example model server, with the variables that the program gives a model that names a service."""
    port = free_port()
    environment = {
        "MODEL_NAME": "sentiment-classifier",
        "MODEL_VERSION": "v1",
        "MODEL_PATH": str(model),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PYTHONPATH": str(EXAMPLE),
        "FEATURE_STORE_URL": url,
        "FEATURE_SERVICE": SERVICE,
        "FEATURE_TIMEOUT_SECONDS": "5",
    }
    address = f"http://127.0.0.1:{port}"
    with running([EXAMPLE_PYTHON, "-m", "server"], f"{address}/ready", folder / "model.log", environment):
        yield address


def predict(address: str, product: str) -> tuple[str, str]:
    """The outcome of the features, and the label of TEXT."""
    body = json.dumps({"texts": [TEXT], "product": product}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/predict", body), timeout=10) as response:
        answer = json.load(response)
    return answer["features"], answer["predictions"][0]["label"]


def refused(serving: Serving, product: str = "kettle-01", service: str = SERVICE) -> int:
    """The code of a read that fails."""
    with pytest.raises(urllib.error.HTTPError) as error:
        serving.read(product, service)
    error.value.close()
    return error.value.code


def metrics(serving: Serving) -> dict[str, float]:
    """Each sample by its name and labels, as they are exposed."""
    with urllib.request.urlopen(serving.metrics, timeout=10) as response:
        lines = response.read().decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {series: float(value) for series, _, value in samples}


def plan(store: Store, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `make features-plan` runs."""
    command = ["delivery", "features-plan", "test", "--project", str(store.folder), "--python", str(PYTHON)]
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=CHECKOUT,
        env={**os.environ, **store.environment, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_was_materialised_is_read_over_http(serving: Serving) -> None:
    assert serving.read("kettle-01") == KETTLE
    assert serving.read("radio-06") == {"product_id": "radio-06", "review_count": 0, "positive_count": 0}


def test_an_unknown_product_has_null_features(serving: Serving) -> None:
    assert serving.read("none") == {"product_id": "none", "review_count": None, "positive_count": None}


def test_a_service_that_does_not_exist_is_refused(serving: Serving) -> None:
    assert refused(serving, service="sentiment_v0") == 404


def test_the_example_model_judges_by_the_features(serving: Serving, model_path: Path, tmp_path: Path) -> None:
    with model_server(serving.url, model_path, tmp_path) as model:
        assert predict(model, "headphones-02") == ("used", "positive")
        assert predict(model, "kettle-01") == ("used", "negative")
        assert predict(model, "none")[0] == "missing"


def test_the_metrics_are_those_that_the_rules_read(serving: Serving) -> None:
    before = metrics(serving)
    serving.read("kettle-01")
    refused(serving, service="sentiment_v0")
    after = metrics(serving)

    def grown(series: str) -> float:
        return after[series] - before.get(series, 0)

    requests = 'feast_feature_server_request_total{endpoint="/get-online-features",status='
    assert grown(requests + '"success"}') == 1
    assert grown(requests + '"error"}') == 1
    latency = "feast_feature_server_request_latency_seconds_count"
    labels = '{endpoint="/get-online-features",feature_count="1-10",feature_view_count="1"}'
    assert grown(latency + labels) == 1
    assert grown("feast_feature_server_online_store_read_duration_seconds_count") == 1
    fresh = f'feast_feature_freshness_seconds{{feature_view="{VIEW}",project="ml_deployments_test"}}'
    eventually(lambda: fresh in metrics(serving), 60, "the freshness is shown")
    # The job that materialises is another process, so the server's metrics cannot show its result.
    assert not [series for series in after if series.startswith("feast_materialization")]


def test_the_servers_metrics_do_not_show_missing_values(serving: Serving) -> None:
    """With Redis, Feast counts a null as present and one value per read as not found, whatever is stored.

    When this fails, Feast reports them, and an alert can use it.
    """

    def statuses() -> dict[str, float]:
        shown = metrics(serving)
        name = f'feast_online_features_status_total{{feature_view="{VIEW}",status='
        return {status: shown[f'{name}"{status}"}}'] for status in ("present", "not_found")}

    serving.read("kettle-01")
    before = statuses()
    serving.read("kettle-01")
    known = statuses()
    serving.read("none")
    unknown = statuses()
    grown = [{s: b[s] - a[s] for s in b} for a, b in ((before, known), (known, unknown))]
    assert grown == [{"present": 2, "not_found": 1}] * 2


def test_a_redis_that_is_away_fails_a_read_and_comes_back_with_what_was_written(
    filled: Store, server: Serving, model_path: Path, tmp_path: Path
) -> None:
    with model_server(server.url, model_path, tmp_path) as model:
        with filled.redis():
            assert server.read("kettle-01") == KETTLE
        assert refused(server) == 500
        # Feast tries for seconds to reach its Redis before it says no.
        assert predict(model, "kettle-01")[0] in {"timeout", "error"}
        with filled.redis():
            assert server.read("kettle-01") == KETTLE
            assert predict(model, "kettle-01") == ("used", "negative")


def test_a_wrong_password_is_reported_and_nothing_is_read(store: Store) -> None:
    stranger = store.with_variables(**{REDIS_PASSWORD: "wrong"})
    with store.redis():
        store.feast("apply", "--no-progress")
        assert "invalid username-password pair" in stranger.materialize(check=False)
        store.materialize()
        with stranger.serving() as serving:
            assert refused(serving) == 500
    assert "invalid username-password pair" in serving.log.read_text()


def test_a_full_redis_refuses_what_is_new_and_keeps_what_is_there(store: Store) -> None:
    now = datetime.now(UTC)
    store.write_source(now - timedelta(hours=2))
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize(now - timedelta(hours=1))
    store.write_source(now - timedelta(minutes=1))
    with store.redis(maxmemory="100kb"), store.serving() as serving:
        assert "command not allowed when used memory > 'maxmemory'" in store.materialize(check=False)
        assert serving.read("kettle-01") == KETTLE
