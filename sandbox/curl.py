"""Sends a request to a model's Service, from outside the cluster."""

import json
import subprocess
import sys
from typing import Any

from components.errors import UserError
from components.files.sources import Sources
from components.stack import load_stack
from delivery.output import say
from sandbox.cluster.environment import explicit_kubeconfig
from sandbox.cluster.lifecycle import cluster_of, kind_of
from sandbox.machine.paths import SandboxPaths
from sandbox.nodes.choice import Kind
from sandbox.nodes.real import RealNodes

_SECONDS = 90
# The first status that is an error.
_ERRORS = 400


def curl(paths: SandboxPaths, model: str, stage: str, path: str, data: str) -> int:
    """Send a request from a node to the Service's address, and print the answer; returns the exit code.

    It takes the way of any caller: the node's rules choose a replica. It comes from the node and not from a pod.

    Args:
        paths: The sandbox.
        model: The model's name.
        stage: Its stage.
        path: Of the URL, with its leading slash.
        data: JSON to post; empty for GET.

    Raises:
        SettingsError: the stage's files have problems.
        UserError: the sandbox has no real nodes, or the model has no Service or does not answer.
    """
    if explicit_kubeconfig(paths) is not None or kind_of(paths) is not Kind.REAL:
        raise UserError(
            "Only a sandbox with real nodes answers requests",
            "run `python -m sandbox down`, then `up --nodes real` with KUBECONFIG unset, and deploy",
        )
    spec = _service(paths, model, stage)
    address = f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}{path}"
    command = [*RealNodes(paths).entered(), sys.executable, "-m", "sandbox.nodes.request", address]
    done = subprocess.run(
        command, cwd=paths.checkout, input=data.encode(), capture_output=True, timeout=_SECONDS, check=True
    )
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise UserError(
            f"{model} in {stage} does not answer at {address}: {answer['error']}",
            "see whether its pods are ready: `python -m sandbox deploy` names those that are not",
        )
    say(f"HTTP {answer['status']}", err=True)
    say(answer["body"])
    return 0 if answer["status"] < _ERRORS else 1


def _service(paths: SandboxPaths, model: str, stage: str) -> dict[str, Any]:
    namespaces = load_stack(Sources.of(paths.checkout), stage).settings.serving_namespaces
    cluster = cluster_of(paths)
    for namespace in namespaces:
        done = cluster.kubectl("get", "service", model, f"--namespace={namespace}", "--output=json")
        if done.returncode == 0:
            spec: dict[str, Any] = json.loads(done.stdout)["spec"]
            return spec
    raise UserError(
        f"{stage} has no Service {model}; its namespaces are {', '.join(namespaces)}",
        f"name a model that is deployed, or deploy the stage: `python -m sandbox deploy {stage}`",
    )
