"""The server with a classifier that does as the test says: `python scripted_server.py`.

It reads the folder SCRIPT_DIR: the model loads once `load` exists, a text with "wait" in it is answered
once `answer` exists, and a text with "explode" raises.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from server import log
from server.app import create_app
from server.classifier import Classifier, Prediction
from server.serving import serve
from server.settings import Settings

SCRIPT = Path(os.environ["SCRIPT_DIR"])


def wait_for(name: str) -> None:
    deadline = time.monotonic() + 30
    while not (SCRIPT / name).exists() and time.monotonic() < deadline:
        time.sleep(0.01)


class ScriptedClassifier:
    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        if any("explode" in text for text in texts):
            raise RuntimeError("the classifier exploded")
        if any("wait" in text for text in texts):
            wait_for("answer")
        return [Prediction(label="positive", score=1.0) for _ in texts]


def load(_: Path) -> Classifier:
    wait_for("load")
    return ScriptedClassifier()


if __name__ == "__main__":
    settings = Settings.from_environment(os.environ)
    log.configure(settings.log_level)
    serve(create_app(settings, load=load), settings)
