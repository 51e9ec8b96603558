"""The example server with a classifier that fails or is slow as a file says: `python faulty_server.py`.

FAULTS names a JSON file: of every hundred requests `errors` fail and `slow` take `seconds`. It is read at each request.
"""

import itertools
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from server import log
from server.app import create_app
from server.classifier import Classifier, Prediction, load_classifier
from server.serving import serve
from server.settings import Settings

FAULTS = Path(os.environ["FAULTS"])


class FaultyClassifier:
    """Passes requests on to the real classifier, except for those that must fail."""

    def __init__(self, real: Classifier) -> None:
        self._real, self._numbers = real, itertools.count()

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """Fail, wait or classify."""
        faults, number = json.loads(FAULTS.read_text()), next(self._numbers) % 100
        if number < faults["errors"]:
            raise RuntimeError("an injected fault")
        if number >= 100 - faults["slow"]:
            time.sleep(faults["seconds"])
        return self._real.classify(texts)


if __name__ == "__main__":
    settings = Settings.from_environment(os.environ)
    log.configure(settings.log_level)
    serve(create_app(settings, load=lambda path: FaultyClassifier(load_classifier(path))), settings)
