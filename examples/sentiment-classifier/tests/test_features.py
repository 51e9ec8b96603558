from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Start
from feature_server import FeatureServer, answer_for
from server_process import ServerProcess, eventually, run_python

from server.classifier import Prediction
from server.features import ProductReviews
from server.prior import with_prior

# Without features the model finds it neither good nor bad.
TEXT = "The kettle is here."


@pytest.fixture(scope="module")
def stores() -> Iterator[FeatureServer]:
    with FeatureServer() as store:
        yield store


@pytest.fixture
def store(stores: FeatureServer) -> FeatureServer:
    """The store that `reading` reads from, as it is when all is well."""
    stores.reset()
    return stores


@pytest.fixture(scope="module")
def reading(
    model_path: Path, stores: FeatureServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A ready server that reads its features from the store and waits long for them."""
    with ServerProcess(
        tmp_path_factory.mktemp("reading") / "log", **reads_from(stores, model_path, seconds="5")
    ) as server:
        assert eventually(server.is_ready)
        yield server


def reads_from(store: FeatureServer, model_path: Path, *, seconds: str) -> dict[str, str]:
    return {
        "MODEL_PATH": str(model_path),
        "FEATURE_STORE_URL": store.url,
        "FEATURE_SERVICE": "sentiment_v1",
        "FEATURE_TIMEOUT_SECONDS": seconds,
    }


def ask(server: ServerProcess, product: object = "kettle-01") -> tuple[str, Any]:
    """The outcome of the features, and the probability that TEXT is positive."""
    answer = server.post({"texts": [TEXT], "product": product})
    assert answer.code == 200, answer.text
    [prediction] = answer.json["predictions"]
    score = prediction["score"]
    return answer.json["features"], score if prediction["label"] == "positive" else 1 - score


def reads(server: ServerProcess) -> dict[str, float]:
    return {key[1]: value for key, value in server.metrics().items() if key[0] == "model_feature_reads_total"}


def failures(server: ServerProcess) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["event"] == "features not read"]


def without_features(server: ServerProcess) -> float:
    [prediction] = server.predict(TEXT).json["predictions"]
    return float(prediction["score"] if prediction["label"] == "positive" else 1 - prediction["score"])


def test_a_product_that_is_liked_makes_a_text_about_it_more_probably_positive(
    reading: ServerProcess, store: FeatureServer
) -> None:
    plain, before = without_features(reading), reads(reading)
    assert ask(reading) == ("used", pytest.approx(plain * 0.9 / (plain * 0.9 + (1 - plain) * 0.1), abs=1e-3))
    store.body = answer_for(review_count=98, positive_count=9)
    assert ask(reading) == ("used", pytest.approx(plain * 0.1 / (plain * 0.1 + (1 - plain) * 0.9), abs=1e-3))
    assert reads(reading) == {**before, "used": before["used"] + 2}


def test_the_store_is_asked_for_the_service_and_the_product(
    reading: ServerProcess, store: FeatureServer
) -> None:
    ask(reading, "lamp/5 \U0001f4a1")
    body = {"feature_service": "sentiment_v1", "entities": {"product_id": ["lamp/5 \U0001f4a1"]}}
    assert store.asked == [("/get-online-features", body)]


def test_the_store_is_not_asked_where_no_product_is_named(
    reading: ServerProcess, store: FeatureServer
) -> None:
    before = reads(reading)
    assert "features" not in reading.predict(TEXT).json
    assert store.asked == []
    assert reads(reading) == before


@pytest.mark.parametrize(
    "features",
    [
        {"review_count": None, "positive_count": None},
        {"review_count": 10, "positive_count": None},
    ],
)
def test_a_product_the_store_does_not_know_is_judged_by_the_text_alone(
    reading: ServerProcess, store: FeatureServer, features: dict[str, int | None]
) -> None:
    store.body = answer_for(**features)
    before = reads(reading)
    assert ask(reading) == ("missing", without_features(reading))
    assert reads(reading) == {**before, "missing": before["missing"] + 1}


WRONG_ANSWERS = [
    (500, {"detail": "the online store is away"}, "the store answered 500"),
    (404, {"detail": "no such service"}, "the store answered 404"),
    (307, {}, "the store answered 307"),
    (200, b"", "Invalid JSON"),
    (200, b'{"metadata": ', "Invalid JSON"),
    (200, b"<html>", "Invalid JSON"),
    (200, [], "Input should be an object"),
    (200, {"results": []}, "metadata: Field required"),
    (200, answer_for(), "review_count: Field required"),
    (200, answer_for(review_count=10), "positive_count: Field required"),
    (200, answer_for(review_count="10", positive_count=5), "review_count: Input should be a valid integer"),
    (200, answer_for(review_count=10.5, positive_count=5), "review_count: Input should be a valid integer"),
    (200, answer_for(review_count=True, positive_count=1), "review_count: Input should be a valid integer"),
    (200, answer_for(review_count=-1, positive_count=-1), "greater than or equal to 0"),
    (200, answer_for(review_count=10, positive_count=11), "positive_count is above review_count"),
    (
        200,
        {**answer_for(review_count=1, positive_count=1), "results": []},
        "not have as many results as names",
    ),
    (
        200,
        {"metadata": {"feature_names": ["review_count"]}, "results": [{"values": []}]},
        "not have one value for each name",
    ),
]


@pytest.mark.parametrize(("code", "body", "reason"), WRONG_ANSWERS)
def test_a_wrong_answer_of_the_store_is_counted_and_logged_and_costs_no_prediction(
    reading: ServerProcess, store: FeatureServer, code: int, body: object, reason: str
) -> None:
    store.code, store.body = code, body
    before, logged = reads(reading), len(failures(reading))
    assert ask(reading) == ("error", without_features(reading))
    assert reads(reading) == {**before, "error": before["error"] + 1}
    [line] = failures(reading)[logged:]
    assert (line["level"], line["outcome"]) == ("warning", "error")
    assert reason in line["reason"]
    assert "kettle-01" not in str(line)
    store.reset()
    assert ask(reading)[0] == "used"


def test_a_store_that_never_answers_costs_its_time_and_no_prediction(
    start: Start, model_path: Path, store: FeatureServer
) -> None:
    server = start(**reads_from(store, model_path, seconds="0.2"))
    assert eventually(server.is_ready)
    store.answers.clear()
    assert ask(server) == ("timeout", without_features(server))
    # More at once than connections, and every one is answered, while the server stays healthy.
    with ThreadPoolExecutor(80) as callers:
        asked = [callers.submit(ask, server) for _ in range(80)]
        assert server.get("/health").code == 200
        assert {read.result()[0] for read in asked} == {"timeout"}
    assert reads(server) == {"used": 0, "missing": 0, "timeout": 81, "error": 0}
    store.answers.set()
    assert eventually(lambda: ask(server)[0] == "used")


def test_a_store_that_is_away_costs_no_prediction_and_is_used_when_it_is_back(
    start: Start, model_path: Path
) -> None:
    with FeatureServer() as store:
        server = start(**reads_from(store, model_path, seconds="5"))
        assert eventually(server.is_ready)
        assert ask(server)[0] == "used"
    assert ask(server) == ("error", without_features(server))
    assert server.is_ready()
    with FeatureServer(store.port):
        assert ask(server)[0] == "used"


def test_a_server_without_a_store_says_so(server: ServerProcess) -> None:
    assert ask(server) == ("not_configured", without_features(server))
    assert reads(server) == {}


@pytest.mark.parametrize("product", ["", "x" * 201, 7, ["kettle-01"]])
def test_a_product_that_is_not_a_name_is_refused(reading: ServerProcess, product: object) -> None:
    answer = reading.post({"texts": [TEXT], "product": product})
    assert answer.code == 422
    assert answer.json["reason"].startswith("product: ")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"FEATURE_STORE_URL": "http://features:6566"},
            "FEATURE_SERVICE is not set, but FEATURE_STORE_URL is\n",
        ),
        ({"FEATURE_SERVICE": "s"}, "FEATURE_STORE_URL is not set, but FEATURE_SERVICE is\n"),
        (
            {"FEATURE_STORE_URL": "features:6566", "FEATURE_SERVICE": "s", "FEATURE_TIMEOUT_SECONDS": "0"},
            "FEATURE_STORE_URL is wrong: ",
        ),
        (
            {"FEATURE_STORE_URL": "http://f", "FEATURE_SERVICE": "s", "FEATURE_TIMEOUT_SECONDS": "nan"},
            "FEATURE_TIMEOUT_SECONDS is wrong: ",
        ),
    ],
)
def test_a_store_that_is_half_named_or_wrong_ends_the_start(variables: dict[str, str], message: str) -> None:
    ended = run_python("-m", "server", MODEL_NAME="a", MODEL_VERSION="v1", **variables)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"cannot start: {message}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(("reviews", "positive", "prior"), [(0, 0, 0.5), (98, 98, 0.99), (98, 0, 0.01)])
def test_few_reviews_say_little(reviews: int, positive: int, prior: float) -> None:
    assert ProductReviews(review_count=reviews, positive_count=positive).prior == pytest.approx(prior)


@pytest.mark.parametrize("label", ["positive", "negative"])
@pytest.mark.parametrize("score", [0.5, 0.9, 1.0])
def test_what_is_as_probable_as_not_changes_nothing(label: str, score: float) -> None:
    prediction = Prediction.model_validate({"label": label, "score": score})
    [updated] = with_prior([prediction], 0.5)
    assert updated.score == pytest.approx(score)
    assert updated.label == label or score == 0.5
