"""Whether the checkout may be deployed, as far as no backend and no cluster is needed."""

import json
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


def prints(folder: Path, monkeypatch: pytest.MonkeyPatch, *, live: str = "", **texts: str) -> None:
    """Put commands on PATH that each print a text, whatever their arguments; `kubectl get` prints `live`."""
    folder.mkdir()
    for name, text in texts.items():
        path = folder / name
        get = f"case \"$*\" in *' get '*) cat <<'END'\n{live}\nEND\nexit;; esac\n"
        path.write_text(f"#!/bin/sh\n{get}cat <<'END'\n{text}\nEND\n")
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


def namespace(name: str, **labels: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def test_a_namespace_of_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work.new(tmp_path / "work")
    prints(tmp_path / "bin", monkeypatch, live=namespace("ml-staging"), pulumi="", kubectl=served(*KINDS))
    code, out, err = run("deployable", "staging", "--project", work.folder)
    assert (code, out) == (1, "")
    assert (
        "Pulumi.staging.yaml: config.ml-deployments:namespace = ml-staging: exists and is not the stage's"
        in err
    )
    assert "namespaceOwned: false" in err
    assert "`kubectl label namespace ml-staging ml-deployments/stage=staging`" in err


def test_a_namespace_with_the_mark_of_the_stage_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run may have left it, or a person has made it for the stage's Secrets."""
    work = Work.new(tmp_path / "work")
    live = namespace("ml-staging", **{"ml-deployments/stage": "staging"})
    prints(tmp_path / "bin", monkeypatch, live=live, pulumi="", kubectl=served(*KINDS))
    assert run("deployable", "staging", "--project", work.folder)[0] == 0
