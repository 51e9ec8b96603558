"""Chooses each tool: a compatible installed one, else an official release, else our build."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools
from sandbox.tools.official_pulumi import official_pulumi

LANGUAGE_HOST = "pulumi-language-python"
KUBERNETES_PLUGIN = "pulumi-resource-kubernetes"
_VERSION_ARGUMENTS = {"pulumi": ["version"], "kubectl": ["version", "--client"]}
# Newer minor versions stay compatible: Pulumi reads older state, Prometheus reads older rules.
_NEWER_FITS = frozenset({"pulumi", *pins.PROMETHEUS.tools, *pins.ALERTMANAGER.tools})
INSTALLED = "installed by pulumi"
Version = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One executable and where it came from: `PATH`, `official release`, `built` or `stand-in`.

    `path` is None for the stand-in, and for a plugin in pulumi's own folder.
    """

    name: str
    path: Path | None
    origin: str


def choose_tools(paths: SandboxPaths, sets: Sequence[pins.ToolSet] = pins.STARTED) -> list[Tool]:
    """Every tool of the sets and Pulumi's plugins; builds or downloads what is not installed.

    Args:
        paths: The sandbox.
        sets: The Kubernetes set first.

    Raises:
        UserError: a tool could be neither found nor built.
    """
    search = _search_path(paths)
    for tools in sets:
        if not tools.tools:
            built_tools(tools)
    pulumi = _chosen("pulumi", pins.KUBERNETES, search)
    others = [
        (name, tools) for tools in sets for name in tools.tools if name not in {"pulumi", KUBERNETES_PLUGIN}
    ]
    return [
        pulumi,
        *(_chosen(name, tools, search) for name, tools in others),
        _kubernetes_plugin(pulumi, search, paths),
        _official(LANGUAGE_HOST, pulumi, search) or Tool(name=LANGUAGE_HOST, path=None, origin="stand-in"),
    ]


def tool_path(paths: SandboxPaths, name: str, *, pinned: bool = False) -> Path:
    """Where one tool is; only this one is downloaded or built if it is missing.

    Args:
        paths: The sandbox.
        name: The tool.
        pinned: Exactly the pinned version, whatever is installed.

    Raises:
        UserError: there is no such tool, or it could not be built.
    """
    tools = next((tools for tools in pins.SETS if name in tools.tools), None)
    if tools is None:
        known = ", ".join(sorted(name for tools in pins.SETS for name in tools.tools))
        raise UserError(f"There is no tool {name}", f"name one of {known}")
    path = _chosen(name, tools, "" if pinned else _search_path(paths)).path
    assert path is not None
    return path


def _chosen(name: str, tools: pins.ToolSet, search: str) -> Tool:
    found = shutil.which(name, path=search) if tools.may_be_installed else None
    if found is not None and _fits(name, found):
        return Tool(name=name, path=Path(found), origin="PATH")
    if name == "pulumi" and (release := official_pulumi()) is not None:
        return Tool(name=name, path=release / name, origin="official release")
    return Tool(name=name, path=built_tools(tools) / name, origin="built")


def _kubernetes_plugin(pulumi: Tool, search: str, paths: SandboxPaths) -> Tool:
    """An official release where there is one, including one that the official CLI installs; else our build."""
    found = _official(KUBERNETES_PLUGIN, pulumi, search)
    if found is not None:
        return found
    if pulumi.origin != "built" and _install_plugin(pulumi, paths):
        return Tool(name=KUBERNETES_PLUGIN, path=None, origin=INSTALLED)
    return _chosen(KUBERNETES_PLUGIN, pins.KUBERNETES_PLUGIN, "")


def _official(name: str, pulumi: Tool, search: str) -> Tool | None:
    """The plugin next to pulumi or on PATH."""
    assert pulumi.path is not None
    beside = pulumi.path.resolve().parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{search}")
    if found is None:
        return None
    return Tool(name=name, path=Path(found), origin=pulumi.origin if Path(found).parent == beside else "PATH")


def _install_plugin(pulumi: Tool, paths: SandboxPaths) -> bool:
    command = [str(pulumi.path), "plugin", "install", "resource", "kubernetes", f"v{pins.PULUMI_KUBERNETES}"]
    # The sandbox shell keeps a PULUMI_HOME that the user has set.
    environment = {"PULUMI_HOME": str(paths.pulumi_home), **os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        return subprocess.run(command, env=environment, check=False, timeout=300).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def link_tools(tools: list[Tool], paths: SandboxPaths) -> None:
    """Put the chosen tools into the sandbox's bin folder; the stand-in gets a wrapper."""
    paths.bin.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        link = paths.bin / tool.name
        link.unlink(missing_ok=True)
        if tool.path is not None:
            link.symlink_to(tool.path)
        elif tool.origin == "stand-in":
            link.write_text(
                "#!/bin/sh\n"
                f"export PYTHONPATH={shlex.quote(str(paths.checkout))}\n"
                f'exec {shlex.quote(sys.executable)} -m sandbox.stand_ins.language_host "$@"\n',
                encoding="utf-8",
            )
            link.chmod(0o755)
    listing = "".join(f"{tool.name}\t{tool.origin}\n" for tool in tools)
    (paths.root / "tools").write_text(listing, encoding="utf-8")


def linked_tools(paths: SandboxPaths) -> list[Tool]:
    """The tools of a sandbox that is up, as `link_tools` chose them; empty before."""
    listing = paths.root / "tools"
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    rows = (line.split("\t") for line in lines)
    return [
        Tool(name=name, path=None if origin == INSTALLED else paths.bin / name, origin=origin)
        for name, origin in rows
    ]


def _search_path(paths: SandboxPaths) -> str:
    """PATH without a sandbox's folder: it has earlier choices, and a stand-in that could pass for the official one."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    ending = paths.bin.parts[-2:]
    return os.pathsep.join(folder for folder in folders if Path(folder).parts[-2:] != ending)


def _fits(name: str, path: str) -> bool:
    found, pinned = _version(name, path), _parsed(pins.tool_version(name))
    if found is None or pinned is None:
        return False
    if name in _NEWER_FITS:
        return found[0] == pinned[0] and found[1] >= pinned[1]
    if name == "kubectl":
        # The version skew that Kubernetes supports.
        return found[0] == pinned[0] and abs(found[1] - pinned[1]) <= 1
    return found == pinned


def _version(name: str, path: str) -> Version | None:
    command = [path, *_VERSION_ARGUMENTS.get(name, ["--version"])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return _parsed(done.stdout + done.stderr)


def _parsed(text: str) -> Version | None:
    match = re.search(r"v?(\d+)\.(\d+)\.\d+", text)
    return None if match is None else (int(match[1]), int(match[2]))
