"""The classifier: the interface that the server needs, and the implementation that train.py writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from server.negation import mark_negation

LABELS = ("negative", "positive")


class Prediction(BaseModel):
    """One text's label, and how probable the model finds that label, from 0.5 to 1."""

    model_config = ConfigDict(frozen=True)

    label: Literal["positive", "negative"]
    score: float


class Classifier(Protocol):
    """Anything that labels texts. It is called from several threads at once."""

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in their order."""
        ...


class LoadError(Exception):
    """The model file cannot be used; the message says why in one line."""


class SentimentClassifier:
    """Runs a trained scikit-learn pipeline."""

    def __init__(self, pipeline: Any) -> None:  # noqa: ANN401 - scikit-learn has no types
        self._pipeline = pipeline

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in their order."""
        probabilities = self._pipeline.predict_proba([mark_negation(text) for text in texts])[:, 1].tolist()
        return [
            Prediction(label="positive", score=round(probability, 4))
            if probability >= 0.5  # noqa: PLR2004 - the more probable of two
            else Prediction(label="negative", score=round(1 - probability, 4))
            for probability in probabilities
        ]


def load_classifier(path: Path) -> Classifier:
    """Reads a model file and tries it once, so that the first request is as fast as the next.

    Raises:
        LoadError: the file is missing, unreadable, or not a sentiment model.
    """
    # These imports take most of a second, which /health must not wait for.
    import skops.io  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        # Builds only types that are known to be safe: unlike a pickle, the file cannot run code of its own.
        pipeline = skops.io.load(path)
    except FileNotFoundError:
        raise LoadError(f"{path}: there is no such file") from None
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:
        # A damaged file fails wherever the damage is: in the archive, its packing, the JSON or the arrays.
        raise LoadError(f"{path}: is not a skops file, or is damaged: {_first_line(error)}") from error
    if not isinstance(pipeline, Pipeline):
        raise LoadError(
            f"{path}: contains a {type(pipeline).__name__}, not the pipeline that train.py writes"
        )
    classifier = SentimentClassifier(pipeline)
    try:
        labels = tuple(pipeline.classes_)
        classifier.classify(["a good start"])
    except Exception as error:
        raise LoadError(f"{path}: contains a pipeline that cannot classify: {_first_line(error)}") from error
    if labels != LABELS:
        raise LoadError(f"{path}: has the labels {', '.join(map(str, labels))}, not {', '.join(LABELS)}")
    return classifier


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
