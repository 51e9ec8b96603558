"""The model's place in the server: empty while it loads and after a failed load."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from server import log
from server.classifier import Classifier, LoadError
from server.metrics import Metrics

Load = Callable[[Path], Classifier]


class Model:
    """Loads a model in the background and keeps it."""

    def __init__(self, path: Path, load: Load, metrics: Metrics) -> None:
        self._path = path
        self._load = load
        self._metrics = metrics
        self.classifier: Classifier | None = None
        self.why_not = "the model is still loading"
        """Why there is no classifier."""

    def start_loading(self) -> None:
        """Begins to load the model and returns at once."""
        # A daemon, so that a long load does not keep a process alive that was asked to stop.
        Thread(target=self._try_to_load, name="load", daemon=True).start()

    def _try_to_load(self) -> None:
        started = time.perf_counter()
        try:
            classifier = self._load(self._path)
        except Exception as error:
            reason = str(error) or type(error).__name__
            # The process stays: the rollout stops at /ready, and someone can find out what is wrong.
            self.why_not = f"the model could not be loaded: {reason}"
            self._metrics.load_failures.inc()
            log.event(
                "model load failed",
                level=logging.ERROR,
                reason=reason,
                traceback=not isinstance(error, LoadError),
            )
            return
        self.classifier = classifier
        self._metrics.loaded.set(1)
        log.event("model loaded", path=self._path, seconds=round(time.perf_counter() - started, 3))
