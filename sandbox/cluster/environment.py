"""The environment of a sandbox shell, and what a user's own environment sets."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.machine.paths import SandboxPaths

# The engine's default is a few operations per core; they wait for the cluster, not for the CPU.
PARALLEL = "64"


def explicit_kubeconfig(paths: SandboxPaths, environment: Mapping[str, str] = os.environ) -> str | None:
    """The kubeconfig that the user named; None when there is only the sandbox's."""
    wanted = environment.get("KUBECONFIG", "")
    return None if wanted in {"", str(paths.kubeconfig)} else wanted


def sandbox_environment(
    paths: SandboxPaths, environment: Mapping[str, str] = os.environ, *, downloads: bool = False
) -> dict[str, str]:
    """The variables to set for a sandbox shell; those that the user has already set are kept.

    Args:
        paths: The sandbox.
        environment: The user's environment.
        downloads: Pulumi can download plugins, so it may search for a missing one.
    """
    folders = environment.get("PATH", "").split(os.pathsep)
    python = Path(sys.executable).parent
    kept = [folder for folder in folders if folder and Path(folder) not in {paths.bin, python}]
    values = {
        "KUBECONFIG": str(paths.kubeconfig),
        "PULUMI_BACKEND_URL": paths.state.as_uri(),
        "PULUMI_HOME": str(paths.pulumi_home),
        # The stack files' salt belongs to the empty passphrase: there is no secret to protect.
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_PARALLEL": PARALLEL,
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
        # A provider option of the program. The source of the plugin that can be built is older than that option.
        "PULUMI_K8S_ENABLE_PATCH_FORCE": "true",
    }
    if not downloads:
        values["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    chosen = {name: environment.get(name, value) for name, value in values.items()}
    # An empty KUBECONFIG names nothing, and left empty it would mean ~/.kube/config: a cluster that no one named.
    chosen["KUBECONFIG"] = explicit_kubeconfig(paths, environment) or str(paths.kubeconfig)
    return {"PATH": os.pathsep.join([str(paths.bin), str(python), *kept]), **chosen}


def export_lines(values: Mapping[str, str]) -> str:
    """The variables as shell commands, for `eval`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
