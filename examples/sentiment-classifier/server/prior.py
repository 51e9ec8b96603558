"""Combines prior knowledge about a product with a prediction."""

from collections.abc import Sequence

from server.classifier import Prediction


def with_prior(predictions: Sequence[Prediction], prior: float) -> list[Prediction]:
    """Bayes' rule: the same texts, with this prior for positive reviews.

    The model was trained on as many positive texts as negative ones, so its own prior is 0.5, and its prediction is the
    evidence of the text alone.

    Args:
        predictions: The model's predictions.
        prior: The probability of a positive review, between 0 and 1, both excluded.
    """
    return [_updated(prediction, prior) for prediction in predictions]


def _updated(prediction: Prediction, prior: float) -> Prediction:
    positive = prediction.score if prediction.label == "positive" else 1 - prediction.score
    for_it, against = positive * prior, (1 - positive) * (1 - prior)
    probability = for_it / (for_it + against)
    if probability >= 0.5:  # noqa: PLR2004 - the more probable of two
        return Prediction(label="positive", score=round(probability, 4))
    return Prediction(label="negative", score=round(1 - probability, 4))
