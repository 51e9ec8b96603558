"""The images that every real node needs, besides those of the deployed pods: each has one program and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.images.layers import Recipe
from sandbox.images.oci import Image, Settings, image, own_architecture
from sandbox.images.push import push
from sandbox.images.trees import File, Node
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools


@dataclass(frozen=True)
class Program:
    """A program in an image of its own: its tool, the set that builds it, and the image's name in pods."""

    tool: str
    tools: pins.ToolSet
    reference: str


PAUSE = Program("pause", pins.CONTAINERD, "registry.k8s.io/pause:3.10.1")
COREDNS = Program("coredns", pins.COREDNS, "registry.k8s.io/coredns/coredns:v1.15.0")


def push_programs(registry: str) -> None:
    """Push the images to a registry.

    Args:
        registry: Its `HOST:PORT` on this machine.

    Raises:
        UserError: a program could not be built.
    """
    for program in (PAUSE, COREDNS):
        _, _, name = program.reference.partition("/")
        push(f"{registry}/{name}", _image(program))


def _image(program: Program) -> Image:
    def build(_root: Path, _work: Path) -> dict[str, Node]:
        return {program.tool: File(built_tools(program.tools) / program.tool, 0o755)}

    recipe = Recipe(program.tool, (program.tools.fingerprint(), own_architecture()), build)
    return image((recipe.built(),), Settings(entrypoint=(f"/{program.tool}",)), own_architecture())
