"""Argo CD next to the control plane: its repository server and its application controller.

Both answer on 127.0.0.1, except for the controller's metrics: Argo CD binds that port on every address and has no
option for it. The ports are free ones, and both processes end with the test.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from sandbox.harness.clone import Clone
from sandbox.harness.redis import redis
from sandbox.harness.waiting import eventually
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools.go_build import built_tools
from sandbox.tools.pins import ARGOCD

NAMESPACE = "argocd"
# Argo CD's image has a script of this name, which the repository server runs for every commit's signature.
# The AppProject requires no signatures, so git's own output is enough.
_SIGNATURE = "git-verify-wrapper.sh"
_LABELS = {"app.kubernetes.io/part-of": "argocd"}


@contextmanager
def argocd(project: Clone, folder: Path) -> Iterator[None]:
    """Run Argo CD in the namespace `argocd` of the project's cluster, with its CRDs."""
    crds = built_tools(ARGOCD) / "crds"
    names = [f"--filename={path}" for path in sorted(crds.glob("*-crd.yaml"))]
    project.run("kubectl", "apply", "--server-side", "--force-conflicts", *names)
    try:
        listed = (
            "kubectl",
            "get",
            "applications.argoproj.io,appprojects.argoproj.io",
            f"--namespace={NAMESPACE}",
        )
        eventually(lambda: project.run(*listed, check=False).returncode == 0, 60, "Argo CD's kinds are known")
        _apply(project, folder, _configuration())
        with ExitStack() as stack:
            cache = stack.enter_context(redis(folder))
            repositories = stack.enter_context(_repository_server(project, folder, cache))
            stack.enter_context(_controller(project, folder, cache, repositories))
            yield
    finally:
        project.run("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")
        project.run("kubectl", "delete", "--ignore-not-found", "--timeout=60s", *names)


def _configuration() -> list[dict[str, Any]]:
    """The objects that Argo CD requires: its settings and a key generated for this run.

    One setting is not the default: docs/pull.md says why.
    """

    def named(kind: str, name: str, **more: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}

    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        named("ConfigMap", "argocd-cm", data={"application.sync.impersonation.enabled": "true"}),
        named("ConfigMap", "argocd-rbac-cm"),
        named("ConfigMap", "argocd-cmd-params-cm"),
        named("Secret", "argocd-secret", stringData={"server.secretkey": secrets.token_hex(32)}),
    ]


def _apply(project: Clone, folder: Path, objects: list[dict[str, Any]]) -> None:
    path = folder / "argocd.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    project.run("kubectl", "apply", f"--filename={path}")


def _environment(project: Clone, folder: Path, role: str) -> dict[str, str]:
    (folder / role).mkdir()
    return {
        **project.environment,
        "ARGOCD_BINARY_NAME": f"argocd-{role}",
        # The cluster is the one of KUBECONFIG.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "TMPDIR": str(folder / role),
        "HOME": str(folder / role),
    }


@contextmanager
def _repository_server(project: Clone, folder: Path, cache: str) -> Iterator[str]:
    port, metrics = free_port(), free_port()
    command: list[str | Path] = [
        built_tools(ARGOCD) / "argocd",
        f"--redis={cache}",
        "--address=127.0.0.1",
        f"--port={port}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={metrics}",
        "--disable-tls",
        "--client-ca-path=",
        "--loglevel=warn",
    ]
    environment = _environment(project, folder, "repo-server")
    script = folder / "bin" / _SIGNATURE
    script.parent.mkdir()
    script.write_text('#!/bin/sh\ngit verify-commit "$1" 2>&1\nexit 0\n')
    script.chmod(0o755)
    environment["PATH"] = f"{script.parent}:{environment['PATH']}"
    ready = f"http://127.0.0.1:{metrics}/healthz?full=true"
    with running(command, ready, folder / "repo-server.log", environment):
        yield f"127.0.0.1:{port}"


@contextmanager
def _controller(project: Clone, folder: Path, cache: str, repositories: str) -> Iterator[None]:
    metrics = free_port()
    command: list[str | Path] = [
        built_tools(ARGOCD) / "argocd",
        f"--redis={cache}",
        f"--repo-server={repositories}",
        "--repo-server-plaintext",
        f"--metrics-port={metrics}",
        f"--namespace={NAMESPACE}",
        "--loglevel=info",
    ]
    environment = _environment(project, folder, "application-controller")
    with running(command, f"http://127.0.0.1:{metrics}/healthz", folder / "controller.log", environment):
        yield
