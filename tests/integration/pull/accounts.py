"""The accounts of the controllers for the stage `staging`, applied as gitops/ has them, without the controllers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.waiting import eventually

STAGE = "staging"
# The namespace of each controller.
ACCOUNTS: Mapping[str, str] = {"argocd": "argocd", "flux": "flux-system", "pulumi": "pulumi-stacks"}
# What the controllers themselves follow; their definitions are not needed here.
_FOLLOWED = {"AppProject", "Application", "GitRepository", "Kustomization", "Stack"}


@contextmanager
def deployer(sandbox: Clone, controller: str, folder: Path, checkout: Path = CHECKOUT) -> Iterator[str]:
    """The account of a controller with its permissions and what holds it back; returns its user name.

    Args:
        sandbox: The cluster.
        controller: The controller.
        folder: Where a file is written.
        checkout: The project whose gitops/ is applied.
    """
    namespace = ACCOUNTS[controller]
    text = (checkout / "gitops" / controller / f"{STAGE}.yaml").read_text()
    found: list[dict[str, Any]] = [o for o in yaml.safe_load_all(text) if o["kind"] not in _FOLLOWED]
    path = folder / "rights.yaml"
    path.write_text(yaml.safe_dump_all(found))
    user = f"system:serviceaccount:{namespace}:ml-deployments-{STAGE}"
    if controller != "pulumi":
        sandbox.run("kubectl", "create", "namespace", namespace)
    try:
        sandbox.run("kubectl", "apply", f"--filename={path}")
        eventually(lambda: _holds(sandbox, user), 60, "the policy is in force")
        yield user
    finally:
        gone = ("--ignore-not-found", "--timeout=120s")
        sandbox.run("kubectl", "delete", f"--filename={path}", *gone)
        sandbox.run("kubectl", "delete", "namespace", namespace, *gone)


def _holds(sandbox: Clone, user: str) -> bool:
    """True once the API server has read the policy, a moment after it was applied."""
    done = sandbox.run(
        "kubectl", "create", "namespace", "not-the-stages", "--dry-run=server", f"--as={user}", check=False
    )
    return "may only have the namespaces of the stage" in done.stderr
