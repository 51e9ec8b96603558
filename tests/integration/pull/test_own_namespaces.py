"""A controller's account deploys a model into its own namespace, and lowers no other one."""

import shutil
from pathlib import Path

import pytest

from delivery.gitops.generate import write
from delivery.rendering.render import render
from sandbox.harness.clone import CHECKOUT, MODEL, Clone
from tests.integration.pull.accounts import ACCOUNTS, STAGE, deployer

HERE, OWN = f"ml-{STAGE}", f"ml-{STAGE}-rooted"
STANDARD = "pod-security.kubernetes.io/enforce"
STACK = f"""\
config:
  ml-deployments:namespace: {HERE}
  ml-deployments:models:
    plain: {{version: "v1", replicas: 1}}
    rooted: {{version: "v1", replicas: 1, podSecurity: baseline}}
"""
ATTACKS = {
    "the stage's level": ("label", "namespace", HERE, f"{STANDARD}=baseline", "--overwrite"),
    "a lower level of its own": ("label", "namespace", OWN, f"{STANDARD}=privileged", "--overwrite"),
    "no level of its own": ("label", "namespace", OWN, f"{STANDARD}-"),
    "a namespace of another model": ("create", "namespace", f"{HERE}-plain"),
    "a Secret there": ("get", "secrets", f"--namespace={OWN}"),
    "another's role there": (
        "create",
        "role",
        "attack",
        "--verb=get",
        "--resource=pods",
        f"--namespace={OWN}",
    ),
}


def checkout(folder: Path) -> Path:
    """A project with a model that has a namespace of its own, and its gitops/."""
    (folder / "models").mkdir(parents=True)
    shutil.copy(CHECKOUT / "__main__.py", folder)
    (folder / f"Pulumi.{STAGE}.yaml").write_text(STACK)
    for name, more in (("plain", ""), ("rooted", "security: {runAsNonRoot: false, runAsUser: 0}\n")):
        (folder / "models" / f"{name}.yaml").write_text(MODEL + more)
    (folder / "gitops").mkdir()
    settings = (CHECKOUT / "gitops" / "settings.yaml").read_text()
    (folder / "gitops" / "settings.yaml").write_text(settings.replace(", production]", "]"))
    write(folder, folder / "gitops")
    return folder


@pytest.mark.parametrize("controller", ACCOUNTS)
def test_the_account_keeps_every_level_as_it_is(sandbox: Clone, tmp_path: Path, controller: str) -> None:
    project = checkout(tmp_path / "project")
    render(project, STAGE, tmp_path / STAGE)
    with deployer(sandbox, controller, tmp_path, project) as user:
        apply = ("apply", "--server-side", "--force-conflicts", f"--filename={tmp_path / STAGE}")
        sandbox.run("kubectl", *apply, f"--as={user}")
        assert sandbox.get("deployment", "rooted", namespace=OWN)["metadata"]["name"] == "rooted"
        for what, command in ATTACKS.items():
            flags = [] if command[0] == "get" else ["--dry-run=server"]
            done = sandbox.run("kubectl", *command, *flags, f"--as={user}", check=False)
            assert done.returncode != 0, what
            assert "orbidden" in done.stderr or "denied" in done.stderr, (what, done.stderr)
        levels = {
            name: sandbox.get("namespace", name)["metadata"]["labels"][STANDARD] for name in (HERE, OWN)
        }
        assert levels == {HERE: "restricted", OWN: "baseline"}
