"""The images of the example's model server: the same content as its Dockerfile gives, from pinned inputs.

Its versions differ by the model, which is trained on more of the sentences each time. What a request is answered is the
version in the pod's environment, so that a version and its image cannot be mixed up is for the digest to say.
"""

from collections.abc import Mapping
from pathlib import Path

from sandbox.images.layers import Recipe
from sandbox.images.oci import Image, Settings, image, own_architecture
from sandbox.images.system import compile_all, run_python
from sandbox.images.trees import File, Node, tree_of
from sandbox.images.wheels import VENV, packages_of, virtual_environment

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sentiment-classifier"
NAME = "sentiment-classifier"
REPOSITORY = f"model-registry/{NAME}"
SHARES: Mapping[str, str] = {"v1.2.0": "0.7", "v1.3-rc1": "0.9", "v1.3.0": "1"}
"""The part of the sentences that each version is trained on; the example's Dockerfile takes it as SHARE."""
_PORT = 8080
_APP = "app"
_MODEL = "model.skops"
_TRAINING = ("train.py", "model_file.py")
_DATA = "data/reviews.tsv"
# As in the example's Dockerfile, which says why.
_VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "JOBLIB_MULTIPROCESSING": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def example_image(version: str) -> Image:
    """The image of a version of the example, with the model trained as the version says.

    Raises:
        UserError: it cannot be built on this machine.
    """
    share, example = SHARES[version], EXAMPLE
    names = (*_TRAINING, _DATA)

    def build(root: Path, work: Path) -> dict[str, Node]:
        source = work / "source"
        for name in (*names, *_server(example)):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((example / name).read_bytes())
        packages = packages_of(root)
        run_python(
            root,
            ["train.py", "--share", share, "--output", str(work)],
            modules=(source, packages),
            folder=source,
        )
        return _app(root, source, (work / _MODEL).read_bytes())

    texts = (
        f"{name}\0{(example / name).read_text(encoding='utf-8')}" for name in (*names, *_server(example))
    )
    return _image(Recipe(f"{NAME} {version}", (share, *texts), build, _packages(), runs=True), version)


def model_image(version: str, model: bytes) -> Image:
    """The image of the example's server with a model that was trained elsewhere.

    Args:
        version: Its tag.
        model: The content of model.skops.

    Raises:
        UserError: it cannot be built on this machine.
    """

    def build(root: Path, work: Path) -> dict[str, Node]:
        for name in _server(EXAMPLE):
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((EXAMPLE / name).read_bytes())
        return _app(root, work, model)

    texts = (f"{name}\0{(EXAMPLE / name).read_text(encoding='utf-8')}" for name in _server(EXAMPLE))
    return _image(Recipe(f"{NAME} {version}", (model.hex(), *texts), build, _packages(), runs=True), version)


def _packages() -> Recipe:
    return virtual_environment(NAME, (EXAMPLE / "requirements.txt").read_text(encoding="utf-8"), {})


def _server(example: Path) -> list[str]:
    return sorted(path.relative_to(example).as_posix() for path in (example / "server").glob("*.py"))


def _app(root: Path, source: Path, model: bytes) -> dict[str, Node]:
    compile_all(root, source / "server", at=f"{_APP}/server")
    return {f"{_APP}/{_MODEL}": File(model), **tree_of(source / "server", f"{_APP}/server")}


def _image(app: Recipe, version: str) -> Image:
    settings = Settings(
        entrypoint=(f"/{VENV}/bin/python", "-m", "server"),
        environment=_VARIABLES,
        folder=f"/{_APP}",
        port=_PORT,
        labels={"org.opencontainers.image.title": NAME, "org.opencontainers.image.version": version},
    )
    return image(tuple(layer.built() for layer in app.layers), settings, own_architecture())
