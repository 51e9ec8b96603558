"""Images of one program in Go, which the sandbox's tools have built: linked statically, on the base alone.

A pod finds each program where the official image has it, started by the same user.
"""

from dataclasses import dataclass
from pathlib import Path

from sandbox.images.layers import Recipe
from sandbox.images.oci import Image, Settings, image, own_architecture
from sandbox.images.system import base
from sandbox.images.trees import File, Folder, Node
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools

_NOBODY = "65534:65534"


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """A program and how the official image starts it.

    Attributes:
        tool: Its name among the tools.
        tools: The set that builds it.
        path: Where it is in the image.
        user: `UID:GID`.
        port: The port that it serves.
        folder: Its working directory.
    """

    tool: str
    tools: pins.ToolSet
    path: str
    user: str
    port: int
    folder: str = "/"


PROMETHEUS = GoProgram(
    tool="prometheus",
    tools=pins.PROMETHEUS,
    path="bin/prometheus",
    user=_NOBODY,
    port=9090,
    folder="/prometheus",
)
ALERTMANAGER = GoProgram(
    tool="alertmanager",
    tools=pins.ALERTMANAGER,
    path="bin/alertmanager",
    user=_NOBODY,
    port=9093,
    folder="/alertmanager",
)
KUBE_STATE_METRICS = GoProgram(
    tool="kube-state-metrics",
    tools=pins.KUBE_STATE_METRICS,
    path="kube-state-metrics",
    user=_NOBODY,
    port=8080,
)
CONFIG_RELOADER = GoProgram(
    tool="prometheus-config-reloader",
    tools=pins.OPERATOR,
    path="bin/prometheus-config-reloader",
    user=_NOBODY,
    port=8080,
)
REDIS_EXPORTER = GoProgram(
    tool="redis_exporter", tools=pins.REDIS_EXPORTER, path="redis_exporter", user="59000:59000", port=9121
)


def go_image(program: GoProgram) -> Image:
    """The image of a program, which is built if it is not in the cache.

    Raises:
        UserError: the program or the base could not be built.
    """

    def build(_root: Path, _work: Path) -> dict[str, Node]:
        # A folder of the root that is a link into /usr must stay one.
        place = f"usr/{program.path}" if program.path.startswith("bin/") else program.path
        return {
            place: File(built_tools(program.tools) / program.tool, 0o755),
            **({} if program.folder == "/" else {program.folder.lstrip("/"): Folder(0o777)}),
        }

    inputs = (program.tools.fingerprint(), own_architecture(), program.path, program.folder)
    recipe = Recipe(program.tool, inputs, build, base())
    settings = Settings(
        entrypoint=(f"/{program.path}",),
        user=program.user,
        folder=program.folder,
        port=program.port,
        labels={
            "org.opencontainers.image.title": program.tool,
            "org.opencontainers.image.version": pins.tool_version(program.tool),
        },
    )
    return image(tuple(layer.built() for layer in recipe.layers), settings, own_architecture())
