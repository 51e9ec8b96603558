"""A virtual environment as a layer: the wheels that a locked requirements.txt pins by their hashes."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from sandbox.images.layers import Recipe
from sandbox.images.system import compile_all, python
from sandbox.images.trees import File, Link, Node, tree_of
from sandbox.tools.unpacked import install_wheels

VENV = "venv"
_PACKAGES = f"{VENV}/lib/python3.11/site-packages"
_PYTHON_VERSION = "3.11.2"
_CONFIG = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {_PYTHON_VERSION}\n"
# They say how the packages were installed on the machine that built the image.
_OF_THE_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def virtual_environment(name: str, requirements: str, scripts: Mapping[str, str]) -> Recipe:
    """The layer with /venv: the wheels of Python 3.11 on Linux, compiled.

    Args:
        name: Whose packages they are.
        requirements: The text of the locked requirements.txt, for any Python and system.
        scripts: The module and function that each command in /venv/bin calls, as `module:function`.
    """
    chosen = chosen_requirements(requirements)

    def build(root: Path, work: Path) -> dict[str, Node]:
        listed, packages = work / "requirements.txt", work / "packages"
        listed.write_text(chosen, encoding="utf-8")
        install_wheels(name, listed, packages)
        shutil.rmtree(packages / "bin", ignore_errors=True)
        for place in packages.glob("*.dist-info"):
            for each in _OF_THE_INSTALLATION:
                (place / each).unlink(missing_ok=True)
        compile_all(root, packages, at=_PACKAGES)
        return {
            f"{VENV}/pyvenv.cfg": File(_CONFIG.encode()),
            f"{VENV}/bin/python": Link("/usr/bin/python3.11"),
            **{f"{VENV}/bin/{script}": _script(calls) for script, calls in scripts.items()},
            **tree_of(packages, _PACKAGES),
        }

    inputs = (chosen, _CONFIG, *(f"{script}={calls}" for script, calls in sorted(scripts.items())))
    return Recipe(f"the Python packages of {name}", inputs, build, python(), runs=True)


def packages_of(root: Path) -> Path:
    """The folder of the packages in an image that is unpacked."""
    return root / _PACKAGES


def _script(calls: str) -> File:
    module, _, function = calls.partition(":")
    text = f"#!/{VENV}/bin/python\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
    return File(text.encode(), 0o755)


def chosen_requirements(requirements: str) -> str:
    """The requirements that apply to the image's Python: pip asks the Python that runs it, which may be another."""
    environment: dict[str, str] = {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": "3.11",
        "python_full_version": _PYTHON_VERSION,
        "implementation_version": _PYTHON_VERSION,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "platform_system": "Linux",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    found = []
    for block in _blocks(requirements.splitlines()):
        first, *hashes = block
        requirement = Requirement(first.removesuffix("\\").strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            found.append("\n".join((f"{requirement.name}{extras}{requirement.specifier} \\", *hashes)))
    return "\n".join(found) + "\n"


def _blocks(lines: Iterable[str]) -> Iterable[list[str]]:
    """A requirement with its lines of hashes."""
    block: list[str] = []
    for line in lines:
        if block and not line.startswith(" "):
            yield block
            block = []
        block.append(line)
    yield block
