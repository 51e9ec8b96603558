"""Whether the checkout may be deployed, as far as no backend and no cluster is needed."""

from pathlib import Path

import pytest

from tests.support.repositories import Work
from tests.support.served_kinds import served
from tests.unit.commands.test_delivery import run

KINDS = (
    "v1 Namespace",
    "v1 Service",
    "apps/v1 Deployment",
    "networking.k8s.io/v1 NetworkPolicy",
    "policy/v1 PodDisruptionBudget",
    "v1 ConfigMap",
    "v1 ServiceAccount",
)


def prints(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Put commands on PATH that each print a text, whatever their arguments."""
    folder.mkdir()
    for name, text in texts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    "text", ["A new version of Pulumi is available", '{"message": "no"}', '["one"]', "{}"]
)
def test_output_that_is_not_a_history_is_one_message(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work.new(tmp_path / "work")
    prints(tmp_path / "bin", monkeypatch, pulumi=text)
    code, _, err = run("deployable", "staging", "--project", work.folder)
    assert code == 1
    assert err.startswith(
        "the history of staging cannot be read: `pulumi stack history --json` did not print"
    )
    assert f"begins with {text!r}. Fix: " in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "null", "[]"])
def test_a_stack_that_was_never_updated(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work.new(tmp_path / "work")
    prints(tmp_path / "bin", monkeypatch, pulumi=text, kubectl=served(*KINDS))
    code, out, _ = run("deployable", "staging", "--project", work.folder)
    assert (code, out) == (0, f"{work.head[:12]} may be deployed to staging, as the first one known\n")


def test_a_cluster_without_a_kind_of_the_stage_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work.new(tmp_path / "work")
    less = served(*(kind for kind in KINDS if not kind.startswith(("networking", "policy"))))
    prints(tmp_path / "bin", monkeypatch, pulumi="", kubectl=less)
    code, out, err = run("deployable", "staging", "--project", work.folder)
    assert (code, out) == (1, "")
    assert "does not have the kind NetworkPolicy in networking.k8s.io/v1" in err
    assert err.endswith(
        "Fix: install the custom resource definition of each, or remove the setting that asks for it\n"
    )
