from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from server_process import SCRIPTED, ServerProcess, eventually, run_python

Start = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained from the data in this folder."""
    folder = tmp_path_factory.mktemp("model")
    trained = run_python("train.py", "--output", str(folder))
    assert trained.returncode == 0, trained.stderr
    return folder / "model.skops"


@pytest.fixture(scope="session")
def server(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A ready server of the trained model, shared by the tests that leave no trace in it."""
    log = tmp_path_factory.mktemp("server") / "log"
    with ServerProcess(log, MODEL_PATH=str(model_path)) as server:
        assert eventually(server.is_ready)
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server for one test."""
    with ExitStack() as stack:

        def start_server(*command: str, **variables: str) -> ServerProcess:
            return stack.enter_context(ServerProcess(tmp_path / "log", *command, **variables))

        yield start_server


@pytest.fixture
def scripted(start: Start, tmp_path: Path) -> ServerProcess:
    """A ready server whose classifier does as the test says; see scripted_server.py."""
    (tmp_path / "load").touch()
    server = start(*SCRIPTED, SCRIPT_DIR=str(tmp_path))
    assert eventually(server.is_ready)
    return server
