"""Trains the sentiment classifier: `python train.py` writes model.skops and metrics.json next to itself.

The same data gives the same model: the split and the fit have fixed seeds. On another processor its last digits may
differ, since libraries choose their instructions by it, unless the variables that the Dockerfile sets are there.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import accuracy_score, f1_score  # type: ignore[import-untyped]
from sklearn.model_selection import GroupShuffleSplit  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]

from model_file import write_model
from server.classifier import LABELS
from server.negation import mark_negation

HERE = Path(__file__).resolve().parent
SEED = 7
HELD_OUT = 0.25
MINIMUM_F1 = 0.80


class TrainingError(Exception):
    """No model was written; the message says why in one line."""


@dataclass(frozen=True)
class Review:
    """A labelled sentence. A pair is a positive and a negative one about the same thing."""

    pair: str
    label: str
    text: str


def read_reviews(path: Path) -> list[Review]:
    """The reviews of a tab-separated file with the columns pair, label and text.

    Raises:
        TrainingError: a row has another format.
    """
    reviews = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row.get("label") not in LABELS or not row.get("pair") or not row.get("text"):
                raise TrainingError(
                    f"{path}: a row needs a pair, a label ({' or '.join(LABELS)}) and a text: {row}"
                )
            reviews.append(Review(row["pair"], row["label"], row["text"]))
    return reviews


def split(reviews: Sequence[Review]) -> tuple[list[Review], list[Review]]:
    """The reviews to train on and those held out.

    A pair stays together. Its sentences share most words, so one of them in the training set would teach the model
    those words with the wrong label for the other one.
    """
    splitter = GroupShuffleSplit(n_splits=1, test_size=HELD_OUT, random_state=SEED)
    train, test = next(splitter.split(reviews, groups=[review.pair for review in reviews]))
    return [reviews[index] for index in train], [reviews[index] for index in test]


def fit(reviews: Sequence[Review]) -> Pipeline:
    """A logistic regression on the weighted words of the reviews."""
    pipeline = Pipeline(
        [
            ("words", TfidfVectorizer(lowercase=False, token_pattern=r"\S+", sublinear_tf=True)),
            ("regression", LogisticRegression(C=10, random_state=SEED)),
        ]
    )
    return pipeline.fit(_inputs(reviews), _labels(reviews))


def evaluate(pipeline: Pipeline, reviews: Sequence[Review]) -> dict[str, float]:
    """Accuracy, and the mean of both labels' F1, on reviews that the model has not seen."""
    predicted = pipeline.predict(_inputs(reviews))
    truth = _labels(reviews)
    return {
        "accuracy": round(float(accuracy_score(truth, predicted)), 4),
        "f1": round(float(f1_score(truth, predicted, average="macro")), 4),
    }


def train(data: Path, output: Path, share: float = 1.0) -> dict[str, float]:
    """Trains, evaluates, and writes the model only if it is good enough.

    Args:
        data: The labelled sentences.
        output: The folder for model.skops and metrics.json.
        share: The part of the sentences to use, from the first one: less makes a worse model.

    Raises:
        TrainingError: the data is wrong, or the model scores too low.
    """
    reviews = read_reviews(data)
    training, held_out = split(reviews[: int(len(reviews) * share)])
    pipeline = fit(training)
    metrics = {"train": len(training), "held_out": len(held_out), **evaluate(pipeline, held_out)}
    if metrics["f1"] < MINIMUM_F1:
        raise TrainingError(
            f"F1 is {metrics['f1']} on the held-out part, below {MINIMUM_F1}: no model written"
        )
    output.mkdir(parents=True, exist_ok=True)
    # An address in memory, by which it would know that it has checked its stop words; it has none.
    vars(pipeline["words"]).pop("_stop_words_id", None)
    write_model(pipeline, output / "model.skops")
    (output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def _inputs(reviews: Sequence[Review]) -> list[str]:
    return [mark_negation(review.text) for review in reviews]


def _labels(reviews: Sequence[Review]) -> list[str]:
    return [review.label for review in reviews]


def main() -> int:
    """Returns the exit code: 1 when no model was written."""
    parser = argparse.ArgumentParser(description="Train the sentiment classifier.")
    parser.add_argument(
        "--data", type=Path, default=HERE / "data" / "reviews.tsv", help="the labelled sentences"
    )
    parser.add_argument("--output", type=Path, default=HERE, help="where model.skops and metrics.json go")
    parser.add_argument("--share", type=float, default=1.0, help="the part of them to use, from the first")
    arguments = parser.parse_args()
    try:
        metrics = train(arguments.data, arguments.output, arguments.share)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(metrics))
    return 0


if __name__ == "__main__":
    sys.exit(main())
