"""Trains the classifier and registers it as a version: `python register.py --tracking-uri URI --version v1.3.0`.

The run contains the parameters, the metrics, the data's name and digest, and the model's file. The registered version
has the tag `version`, the image's tag, by which a deployment finds the version.
"""

import argparse
import os
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import mlflow
import numpy
from mlflow.data.numpy_dataset import NumpyDataset, from_numpy
from mlflow.exceptions import MlflowException

import train

NAME = "sentiment-classifier"


def register(tracking_uri: str, version: str, data: Path, *, owner: str, output: Path) -> str:
    """Train, log the run and register the version; returns MLflow's own number of it.

    Raises:
        TrainingError: the data is wrong, or the model scores too low.
        MlflowException: the server refused something.
    """
    metrics = train.train(data, output)
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment(NAME)
    with mlflow.start_run(run_name=version) as run:
        mlflow.log_params({"seed": train.SEED, "held_out_share": train.HELD_OUT})
        mlflow.log_metrics(metrics)
        mlflow.log_input(_dataset(data), context="training")
        mlflow.log_artifact(str(output / "model.skops"), artifact_path="model")
        source = f"{run.info.artifact_uri}/model"
    client = mlflow.MlflowClient()
    if not client.search_registered_models(filter_string=f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    made = client.create_model_version(
        NAME, source, run_id=run.info.run_id, tags={"version": version, "owner": owner}
    )
    return str(made.version)


def _dataset(data: Path) -> NumpyDataset:
    """The sentences under the name of their file and the digest of its content."""
    digest = sha256(data.read_bytes()).hexdigest()[:12]
    texts = numpy.array([review.text for review in train.read_reviews(data)])
    return from_numpy(texts, source=data.name, name=data.stem, digest=digest)


def main() -> int:
    """Returns the exit code: 1 when no version was registered."""
    parser = argparse.ArgumentParser(
        description="Train the sentiment classifier and register it as a version."
    )
    parser.add_argument("--tracking-uri", required=True, help="the MLflow server")
    parser.add_argument("--version", required=True, help="the image's tag, like v1.3.0")
    parser.add_argument("--owner", default="team-language", help="the team that is responsible for it")
    parser.add_argument(
        "--data", type=Path, default=train.HERE / "data" / "reviews.tsv", help="the labelled sentences"
    )
    parser.add_argument("--output", type=Path, help="keeps model.skops and metrics.json there")
    arguments = parser.parse_args()
    # MLflow would try a server that is down for minutes, and say nothing.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with tempfile.TemporaryDirectory() as folder:
        try:
            number = register(
                arguments.tracking_uri,
                arguments.version,
                arguments.data,
                owner=arguments.owner,
                output=arguments.output or Path(folder),
            )
        except (train.TrainingError, MlflowException) as error:
            print(error, file=sys.stderr)
            return 1
    print(f"{NAME} {arguments.version} is version {number} of {NAME} at {arguments.tracking_uri}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
