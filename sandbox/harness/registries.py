"""A real OCI registry and a real MLflow server on loopback, as long as a block runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.harness.clone import CHECKOUT
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools

EXAMPLE = CHECKOUT / "examples" / "sentiment-classifier"
EXAMPLE_PYTHON = EXAMPLE / ".venv" / "bin" / "python"
MLFLOW_SECONDS = 300


@contextmanager
def image_registry(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run an OCI registry with its data in a folder; yields its host, like `127.0.0.1:5000`.

    Args:
        folder: An empty folder.
        settings: More of its settings, as its environment variables `REGISTRY_...`; with a certificate it uses TLS.
    """
    port = free_port()
    host = f"127.0.0.1:{port}"
    (folder / "config.yaml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{host}'}}\n"
    )
    chosen = {"OTEL_TRACES_EXPORTER": "none", **(settings or {})}
    command: list[str | Path] = [built_tools(pins.REGISTRY) / "registry", "serve", folder / "config.yaml"]
    with running(command, f"tcp://{host}", folder / "log", chosen):
        yield host


@contextmanager
def model_registry(folder: Path) -> Iterator[str]:
    """Run an MLflow server with its database in a folder; yields its address.

    Args:
        folder: An empty folder.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        EXAMPLE_PYTHON,
        "-m",
        "mlflow",
        "server",
        "--host=127.0.0.1",
        f"--port={port}",
        "--workers=1",
        f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
        f"--artifacts-destination={folder}/artifacts",
    ]
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # Its job runner starts processes that nothing here needs.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with running(
        command, f"{address}/health", folder / "log", quiet, folder=folder, start_seconds=MLFLOW_SECONDS
    ):
        yield address
