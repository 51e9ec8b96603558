"""The sandbox's images: pushed to a real registry, as the stages pin them, and what is in them runs."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from delivery.registries.images import image_digest, split_repository
from sandbox.harness.clone import CHECKOUT
from sandbox.harness.registries import image_registry
from sandbox.images.archive import unpack
from sandbox.images.model_image import REPOSITORY, model_image
from sandbox.images.oci import MANIFEST, Image, digest_of
from sandbox.images.wanted import Wanted, build_all, push_all, require_committed
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running

LOVED, HATED = "I love it", "It broke at once, a waste of money"
Built = list[tuple[Wanted, Image]]


@pytest.fixture(scope="module")
def built() -> Built:
    return build_all()


@pytest.fixture(scope="module")
def registry(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with image_registry(tmp_path_factory.mktemp("registry")) as host:
        push_all(host, built)
        yield host


@pytest.fixture(scope="module")
def roots(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The unpacked root of an image by the last part of its name, of the example's only the released version."""
    found = {}
    for each, image in built:
        repository, _, tag = each.reference.rpartition(":")
        if repository == REPOSITORY and tag != "v1.2.0":
            continue
        root = found[repository.rpartition("/")[2]] = tmp_path_factory.mktemp("root")
        for layer in image.layers:
            unpack(layer.file, root)
        # A runtime mounts the devices; Feast opens this one.
        (root / "dev" / "null").touch()
    return found


def inside(root: Path, folder: str = "/") -> list[str | Path]:
    """What runs a command in an image's root: a user namespace, so that no root is needed."""
    return ["unshare", "--map-root-user", "--root", root, "--wd", folder]


def said(root: Path, *command: str) -> str:
    done = subprocess.run(
        [*inside(root), *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def pulled(registry: str, path: str) -> bytes:
    """A part of the released version, as a container runtime asks for it."""
    request = urllib.request.Request(
        f"http://{registry}/v2/{REPOSITORY}/{path}", headers={"Accept": MANIFEST}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        content: bytes = response.read()
    return content


def test_a_registry_has_every_image_by_the_name_that_a_mirror_is_asked_for(
    registry: str, built: Built
) -> None:
    for each, image in built:
        repository, _, tag = each.reference.rpartition(":")
        _, name = split_repository(repository)
        assert image_digest(f"{registry}/{name}", tag, "linux/amd64") == image.digest


def test_what_is_pulled_by_its_digest_is_what_was_built(registry: str, built: Built) -> None:
    (image,) = [image for each, image in built if each.reference == f"{REPOSITORY}:v1.2.0"]
    manifest = json.loads(pulled(registry, f"manifests/{image.digest}"))
    assert len(manifest["layers"]) == 5
    for part in (manifest["config"], *manifest["layers"]):
        assert digest_of(pulled(registry, f"blobs/{part['digest']}")) == part["digest"]


def test_the_stages_pin_what_is_built_and_the_readme_releases_it(built: Built) -> None:
    require_committed(CHECKOUT, built)
    readme = (CHECKOUT / "README.md").read_text()
    digests = {each.reference: image.digest for each, image in built}
    for version in ("v1.2.0", "v1.3.0"):
        assert f'version: "{version}", digest: "{digests[f"{REPOSITORY}:{version}"]}"' in readme


def test_versions_share_all_layers_but_their_own(built: Built) -> None:
    versions = [image for each, image in built if each.reference.startswith(REPOSITORY)]
    assert len({image.digest for image in versions}) == len(versions) == 3
    assert len({image.layers[:-1] for image in versions}) == 1


def test_a_second_build_and_a_second_push_do_nothing(registry: str, built: Built) -> None:
    started, used = time.monotonic(), psutil.Process().memory_info().rss
    again = build_all()
    push_all(registry, again)
    assert [image.digest for _, image in again] == [image.digest for _, image in built]
    # Nothing is built or sent: without the cache it takes minutes, and gigabytes would be read.
    assert time.monotonic() - started < 20
    assert psutil.Process().memory_info().rss - used < 100e6


def test_the_models_image_answers(roots: dict[str, Path], built: Built, tmp_path: Path) -> None:
    (image,) = [image for each, image in built if each.reference == f"{REPOSITORY}:v1.2.0"]
    config = json.loads(image.config)["config"]
    port = free_port()
    variables = dict(each.split("=", 1) for each in config["Env"])
    own = {"MODEL_NAME": "sentiment", "MODEL_VERSION": "v1.2.0", "HOST": "127.0.0.1", "PORT": str(port)}
    command = [*inside(roots["sentiment-classifier"], config["WorkingDir"]), *config["Entrypoint"]]
    log = tmp_path / "log"
    with running(command, f"http://127.0.0.1:{port}/ready", log, {**variables, **own}):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/predict", data=json.dumps({"texts": [LOVED, HATED]}).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.loads(response.read())
    assert answer["version"] == "v1.2.0"
    assert [each["label"] for each in answer["predictions"]] == ["positive", "negative"]


def test_a_model_that_was_trained_elsewhere_is_in_an_image_of_its_own(built: Built, tmp_path: Path) -> None:
    damaged = model_image("v9", b"not a model")
    (released,) = [image for each, image in built if each.reference == f"{REPOSITORY}:v1.2.0"]
    assert damaged.layers[:-1] == released.layers[:-1]
    unpack(damaged.layers[-1].file, tmp_path)
    assert (tmp_path / "app" / "model.skops").read_bytes() == b"not a model"
    assert (tmp_path / "app" / "server" / "__main__.py").is_file()


def test_nothing_is_compiled_when_the_server_starts(roots: dict[str, Path]) -> None:
    """A container with a read-only root could not keep it."""
    code = (
        "import glob, importlib.util, os\n"
        "missing = [path for folder in ('/venv', '/app', '/usr/lib/python3.11')"
        " for path in glob.glob(folder + '/**/*.py', recursive=True)"
        " if not os.path.exists(importlib.util.cache_from_source(path))]\n"
        "print(*missing, sep='\\n')"
    )
    missing = said(roots["sentiment-classifier"], "/venv/bin/python", "-c", code).split()
    # Templates and tests of syntax that do not compile.
    assert len(missing) < 10, missing


@pytest.mark.parametrize(
    "name",
    ["prometheus", "alertmanager", "kube-state-metrics", "prometheus-config-reloader", "redis_exporter"],
)
def test_a_program_in_go_runs_and_says_the_version_that_the_table_says(
    roots: dict[str, Path], built: Built, name: str
) -> None:
    ((each, image),) = [pair for pair in built if f"/{name}:" in pair[0].reference]
    (entry,) = json.loads(image.config)["config"]["Entrypoint"]
    arguments = ["version"] if name == "kube-state-metrics" else ["--version"]
    text = said(roots[name], entry, *arguments)
    if name != "redis_exporter":
        assert each.contains.removeprefix("v") in text


def test_redis_answers_its_client(roots: dict[str, Path], tmp_path: Path) -> None:
    root, port = roots["redis"], free_port()
    command = [*inside(root, "/data"), "/usr/local/bin/redis-server", "--port", str(port), "--save", ""]
    with running(command, f"tcp://127.0.0.1:{port}", tmp_path / "log", {"PATH": "/usr/bin", "LC_ALL": "C"}):
        assert "PONG" in said(root, "sh", "-c", f"redis-cli -p {port} ping | grep -q PONG && echo PONG")


def test_the_start_script_of_redis_finds_its_commands(roots: dict[str, Path]) -> None:
    text = said(roots["redis"], "sh", "-c", 'printf %s "a" | sha256sum | cut -d " " -f 1')
    assert text.strip() == sha256(b"a").hexdigest()


def test_feast_runs(roots: dict[str, Path], built: Built) -> None:
    (each,) = [each for each, _ in built if "feature-server" in each.reference]
    done = subprocess.run(
        [*inside(roots["feature-server"]), "feast", "version"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PATH": "/usr/local/bin:/usr/bin", "HOME": "/tmp"},
    )
    assert each.contains in done.stdout, done.stderr
