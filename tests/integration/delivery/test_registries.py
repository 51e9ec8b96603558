"""`delivery check --registry` against a real OCI registry and a real MLflow server."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.settings.registries import RegisteredModel
from delivery.registries.errors import NotFound, RegistryError, Unavailable
from delivery.registries.images import image_digest
from delivery.registries.mlflow_registry import find_version
from sandbox.harness.clone import Clone, copy_project
from sandbox.harness.registries import EXAMPLE, EXAMPLE_PYTHON, image_registry, model_registry
from sandbox.images.oci import MANIFEST, described
from sandbox.images.push import push_artifact, push_image
from sandbox.machine.processes import free_port

MODEL = RegisteredModel(name="sentiment-classifier")
INDEX = "application/vnd.oci.image.index.v1+json"
ARM64 = {"architecture": "arm64", "os": "linux"}
GATE = 'gate: {metrics: {f1: {min: "0.85", maxDrop: "0.01"}}}\n'


@pytest.fixture(scope="module")
def images_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with image_registry(tmp_path_factory.mktemp("images")) as host:
        yield host


@pytest.fixture(scope="module")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the MLflow server has its database."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def mlflow(mlflow_folder: Path) -> Iterator[str]:
    """An MLflow server with v1 (half the data) and v2 (all of it) of the example."""
    folder = mlflow_folder
    lines = (EXAMPLE / "data" / "reviews.tsv").read_text().splitlines(keepends=True)
    half = folder / "half.tsv"
    half.write_text("".join(lines[: len(lines) // 2 + 1]))
    with model_registry(folder) as address:
        register(address, "v1", half)
        register(address, "v2", EXAMPLE / "data" / "reviews.tsv")
        yield address


def register(address: str, version: str, data: Path) -> None:
    names = ["--tracking-uri", address, "--version", version, "--data", str(data)]
    command = [str(EXAMPLE_PYTHON), "register.py", *names]
    subprocess.run(command, cwd=EXAMPLE, check=True, capture_output=True, timeout=300)


@pytest.fixture
def project(tmp_path: Path, images_host: str, mlflow: str) -> Clone:
    """A git repository whose stage runs v2, which is pushed and registered, after v1."""
    clone = Clone(copy_project(tmp_path / "project"), namespace="ml-registries")
    text = (clone.path / "models" / "sentiment-classifier.yaml").read_text()
    (clone.path / "models" / "sentiment-classifier.yaml").write_text(
        text.replace("image: model-registry", f"image: {images_host}")
        + "registeredModel: {name: sentiment-classifier}\n"
        + GATE
    )
    clone.run("git", "init", "--quiet")
    clone.run("git", "config", "user.name", "Somebody")
    clone.run("git", "config", "user.email", "somebody@example.com")
    for version in ("v1", "v2"):
        push_image(f"{images_host}/sentiment-classifier:{version}", {"version": version.encode()})
        release(clone, mlflow, version)
        clone.run("git", "add", "--all")
        clone.run("git", "commit", "--quiet", "--message", version)
    return clone


def release(clone: Clone, mlflow: str, version: str, more: str = "") -> None:
    clone.write_stack(
        f'    sentiment-classifier: {{version: "{version}", replicas: 1{more}}}\n',
        f'  ml-deployments:modelRegistry: {{mlflow: "{mlflow}"}}\n',
    )


def check(clone: Clone) -> SimpleNamespace:
    done = clone.python("delivery", "check", "--registry", check=False)
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def test_what_the_registries_know_is_shown(project: Clone, images_host: str) -> None:
    result = check(project)
    assert result.code == 0, result.err
    digest = image_digest(f"{images_host}/sentiment-classifier", "v2")
    for known in (digest.removeprefix("sha256:")[:12], "f1=0.94", "reviews@", "team-language"):
        assert known in result.out


def test_a_tag_that_was_moved_since_it_was_pinned_is_named(
    project: Clone, mlflow: str, images_host: str
) -> None:
    pinned = push_image(f"{images_host}/sentiment-classifier:v2", {"version": b"v2"})
    release(project, mlflow, "v2", f', digest: "{pinned}"')
    assert check(project).code == 0
    moved = push_image(f"{images_host}/sentiment-classifier:v2", {"version": b"another"})
    result = check(project)
    assert result.code == 1
    assert f'digest = "{pinned}": the tag v2 has {moved}: it was moved since it was pinned' in result.err


def test_every_missing_thing_is_reported_at_once(project: Clone, mlflow: str) -> None:
    release(project, mlflow, "v9")
    result = check(project)
    assert result.code == 1
    assert result.err.startswith("2 problems found; nothing was changed.")
    assert "has no image sentiment-classifier:v9" in result.err
    assert "has no version of sentiment-classifier whose tag version is v9" in result.err


def test_a_version_that_fell_too_far_fails_the_gate(project: Clone, mlflow: str) -> None:
    release(project, mlflow, "v1")
    result = check(project)
    assert result.code == 1
    assert "v1 fails the gate on f1 (at least 0.85, may fall by 0.01)" in result.err


def test_without_git_a_gate_that_compares_does_not_pass(project: Clone, mlflow: str) -> None:
    project.run("rm", "-rf", ".git")
    result = check(project)
    assert result.code == 1
    assert "No version is compared with the one before it" in result.out
    assert "cannot be compared with the version before it" in result.err
    assert "is in no git repository" in result.err


def test_what_is_not_an_image_for_the_model_is_refused(project: Clone, mlflow: str, images_host: str) -> None:
    repository = f"{images_host}/sentiment-classifier"
    chart, config = b"chart", b"{}"
    helm = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)],
    }
    push_artifact(f"{repository}:chart", helm, (chart, config))
    arm = push_image(f"{repository}:arm", {"version": b"arm"}, architecture="arm64")
    only_arm = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{"mediaType": MANIFEST, "digest": arm, "size": 1, "platform": ARM64}],
    }
    both = push_artifact(f"{repository}:index", only_arm)
    for version, said in {
        "chart": "sentiment-classifier:chart is not an image: it is a Helm chart",
        "arm": "sentiment-classifier:arm is for linux/arm64, and the model needs linux/amd64",
        "index": "sentiment-classifier:index has no image for linux/amd64; it has: linux/arm64",
    }.items():
        release(project, mlflow, version)
        result = check(project)
        assert result.code == 1
        assert said in result.err
    assert image_digest(repository, "arm", "linux/arm64") == arm
    assert image_digest(repository, "index", "linux/arm64") == both


def test_the_aliases_of_a_version_are_its_own(mlflow: str) -> None:
    script = (
        f"import mlflow; c = mlflow.MlflowClient('{mlflow}')\n"
        f"c.set_registered_model_alias('{MODEL.name}', 'champion', '2')"
    )
    subprocess.run([EXAMPLE_PYTHON, "-c", script], check=True, capture_output=True, timeout=120)
    assert find_version(mlflow, MODEL, "v2").aliases == ("champion",)
    assert find_version(mlflow, MODEL, "v1").aliases == ()


def test_two_versions_with_one_tag_are_refused(mlflow: str) -> None:
    script = (
        f"import mlflow; c = mlflow.MlflowClient('{mlflow}'); c.create_registered_model('twice')\n"
        "for _ in 'ab': c.create_model_version('twice', 's3://models/x', tags={'version': 'v1'})"
    )
    subprocess.run([EXAMPLE_PYTHON, "-c", script], check=True, capture_output=True, timeout=120)
    with pytest.raises(RegistryError, match="versions 1 and 2 of twice"):
        find_version(mlflow, RegisteredModel(name="twice"), "v1")


@pytest.mark.parametrize("name", ["it's", 'a "b"', "a\\b"])
def test_a_name_with_quotes_or_a_backslash_is_found(mlflow: str, name: str) -> None:
    script = (
        f"import mlflow; c = mlflow.MlflowClient('{mlflow}'); c.create_registered_model({name!r})\n"
        f"c.create_model_version({name!r}, 's3://models/x', tags={{'a/b c:d': 'v1'}})"
    )
    subprocess.run([EXAMPLE_PYTHON, "-c", script], check=True, capture_output=True, timeout=120)
    model = RegisteredModel.model_validate({"name": name, "versionTag": "a/b c:d"})
    assert find_version(mlflow, model, "v1").number == "1"


def scripted(address: str, script: str) -> None:
    """Run a script with MLflow's own client, which is `c`; the active experiment is the default one."""
    start = f"import mlflow; mlflow.set_tracking_uri('{address}'); c = mlflow.MlflowClient()\n"
    subprocess.run([EXAMPLE_PYTHON, "-c", start + script], check=True, capture_output=True, timeout=120)


def test_a_metric_that_another_run_logged_to_the_model_counts(mlflow: str) -> None:
    scripted(
        mlflow,
        "m = mlflow.create_external_model(name='external')\n"
        "c.create_registered_model('logged')\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_metric('f1', 0.5, model_id=m.model_id)\n"
        "c.create_model_version('logged', f'models:/{m.model_id}', run.info.run_id, {'version': 'v1'}, "
        "model_id=m.model_id)\n"
        "with mlflow.start_run():\n"
        "    mlflow.log_metric('f1', 0.75, model_id=m.model_id)\n"
        "    mlflow.log_metric('auc', 0.875, model_id=m.model_id)\n"
        "    mlflow.log_metric('zero', 0.0, model_id=m.model_id)\n"
        "    mlflow.log_metric('loss', float('nan'), model_id=m.model_id)\n"
        "    mlflow.log_metric('far', float('inf'), model_id=m.model_id)\n"
        "copy = c.copy_model_version('models:/logged/1', 'copied')\n"
        "c.set_model_version_tag('copied', copy.version, 'version', 'v1')\n",
    )
    for name in ("logged", "copied"):
        found = find_version(mlflow, RegisteredModel(name=name), "v1").metrics
        shown = {key: str(value) for key, value in found.items()}
        assert shown == {"f1": "0.75", "auc": "0.875", "zero": "0.0", "loss": "NaN", "far": "Infinity"}


def test_a_run_that_was_deleted_or_purged_is_named(mlflow: str, mlflow_folder: Path) -> None:
    scripted(
        mlflow,
        "for name in ('deleted', 'purged'):\n"
        "    c.create_registered_model(name)\n"
        "    with mlflow.start_run() as run:\n"
        "        mlflow.log_metric('f1', 0.9)\n"
        "    c.create_model_version(name, 's3://models/x', run.info.run_id, tags={'version': 'v1'})\n"
        "    c.delete_run(run.info.run_id)\n"
        "print(run.info.run_id)",
    )
    purged = find_version(mlflow, RegisteredModel(name="purged"), "v1").run
    command = [
        "-m",
        "mlflow",
        "gc",
        "--backend-store-uri",
        f"sqlite:///{mlflow_folder}/mlflow.db",
        "--run-ids",
    ]
    subprocess.run(
        [EXAMPLE_PYTHON, *command, str(purged)],
        check=True, capture_output=True, timeout=120, env={**os.environ, "MLFLOW_TRACKING_URI": mlflow},
    )  # fmt: skip
    for name in ("deleted", "purged"):
        (gone,) = find_version(mlflow, RegisteredModel(name=name), "v1").gone
        assert gone.endswith(f" was {name}")


def test_an_unknown_registered_model(mlflow: str) -> None:
    with pytest.raises(NotFound, match="nobody"):
        find_version(mlflow, RegisteredModel(name="nobody"), "v1")


def test_a_repository_that_does_not_exist(images_host: str) -> None:
    with pytest.raises(NotFound, match="has no image nobody:v1"):
        image_digest(f"{images_host}/nobody", "v1")


def test_registries_that_are_down() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match="cannot be asked"):
        image_digest(f"127.0.0.1:{port}/a", "v1")
    with pytest.raises(Unavailable, match="cannot be asked"):
        find_version(f"http://127.0.0.1:{port}", MODEL, "v1")


def test_registries_that_never_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match="did not answer within 1 s"):
            image_digest(f"127.0.0.1:{port}/a", "v1", seconds=1)
        with pytest.raises(Unavailable, match="did not answer within 1 s"):
            find_version(f"http://127.0.0.1:{port}", MODEL, "v1", seconds=1)


def test_something_that_is_not_mlflow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=_answer_once, args=(server,), daemon=True).start()
        with pytest.raises(Unavailable, match="answered 200: which is not an answer of MLflow"):
            find_version(f"http://127.0.0.1:{port}", MODEL, "v1")


def _answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
