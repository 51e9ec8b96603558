"""What a commit's feature definitions change in a stage's registry, as Markdown for the review."""

import os
import subprocess
import tempfile
from pathlib import Path

from components.feature_source import FOLDER
from components.feature_store_names import redis_host
from components.feature_store_settings import REGISTRY_URL
from components.feature_store_yaml import FILE, feature_store_yaml
from components.settings import StackSettings
from delivery.errors import DeliveryError

# What `make features` brings.
FEAST_PYTHON = Path(".venv-feast/bin/python")
_SECONDS = 120
_PROGRAM = Path(__file__).resolve().parent.parent


def feature_plan(project: Path, stack: StackSettings, python: Path) -> str:
    """The Markdown of what `feast apply` would change; nothing is written anywhere.

    Args:
        project: The checkout.
        stack: The stage.
        python: The Python of an environment with Feast.

    Raises:
        DeliveryError: the stage has no feature store, Feast is not there, or the registry cannot be read.
    """
    store = stack.feature_store
    if store is None:
        raise DeliveryError(
            f"Pulumi.{stack.stage}.yaml has no feature store, so there is no plan. Fix: add featureStore"
        )
    if not python.is_file():
        raise DeliveryError(f"{python} does not exist, so Feast cannot be asked. Fix: make features")
    if store.registry.sql is not None and not os.environ.get(REGISTRY_URL):
        raise DeliveryError(
            f"{REGISTRY_URL} is not set, and no secret is in git. Fix: set it to the URL in the Secret "
            f"{store.registry.sql.url_secret.name}; one that may only read is enough"
        )
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / FILE
        config.write_text(feature_store_yaml(store, stack.stage, redis_host(stack)), encoding="utf-8")
        try:
            done = subprocess.run(
                [python.absolute(), "-m", "delivery.feast_plan", (project / FOLDER).absolute(), config],
                cwd=_PROGRAM,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeliveryError(
                f"Feast did not answer within {_SECONDS} s. Fix: check that the registry can be reached from here"
            ) from None
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise DeliveryError(
            f"{reason}. Fix: check {REGISTRY_URL} and {FOLDER}/" if reason else "Feast ended without a word"
        )
    return f"### Features of {stack.stage}\n\n{done.stdout}"
