"""A stage of which nothing is in the cluster is reported, and not created by a heal."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.projects import project
from tests.support.served_kinds import served
from tests.unit.commands.test_delivery import run

KINDS = served("v1 ConfigMap", "v1 Namespace", "apps/v1 Deployment")
ABSENT = "nothing of test is at https://cluster.example.com (context elsewhere)"


class Cluster:
    """A kubectl whose cluster has one object or none; `written` are the commands that would change it."""

    def __init__(self, folder: Path, held: object) -> None:
        folder.mkdir()
        self._log = folder / "written"
        (folder / "kinds").write_text(KINDS)
        (folder / "held").write_text("" if held is None else json.dumps(held))
        script = f"""#!/bin/sh
case "$*" in
*api-resources*) cat {folder}/kinds ;;
*config\\ view*) echo https://cluster.example.com ;;
*current-context*) echo elsewhere ;;
*\\ get\\ --filename=-*) cat > /dev/null; cat {folder}/held ;;
*\\ get\\ *) ;;
*--dry-run=server*) cat ;;
*) cat > /dev/null; echo "$*" >> {self._log} ;;
esac
"""
        (folder / "kubectl").write_text(script)
        (folder / "kubectl").chmod(0o755)

    @property
    def written(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


def namespace(labels: Mapping[str, str], **annotations: str) -> object:
    metadata = {"name": "ml-test", "labels": labels, "annotations": annotations, "managedFields": []}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


OWN, OTHER = {"ml-deployments/stage": "test"}, {"ml-deployments/stage": "other"}
# What a `pulumi destroy` leaves of a stage with a feature store.
LEFT = namespace(OWN, **{"ml-deployments/keep": "true"})


@pytest.fixture(params=[None, namespace({}), namespace(OTHER), LEFT])
def absent(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return Cluster(tmp_path / "bin", request.param)


def test_a_heal_creates_nothing(absent: Cluster, tmp_path: Path) -> None:
    code, out, err = run("drift", "test", "--work-tree", "--heal", "--project", project(tmp_path / "p"))
    assert (code, out) == (1, "")
    assert err.startswith(
        f"A heal is not a deployment; nothing was changed: {ABSENT}: it was never deployed there"
    )
    assert "Fix: deploy it with `make deploy STAGE=test`; if this is the wrong cluster, name the right" in err
    assert err.count("\n") == 1
    assert absent.written == ""


def test_without_heal_it_is_reported(absent: Cluster, tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    code, out, _ = run("drift", "test", "--work-tree", "--project", folder)
    assert code == 3
    assert ABSENT in out
    code, out, _ = run("drift", "test", "--work-tree", "--json", "--project", folder)
    assert code == 3
    assert [note for note in json.loads(out)["notes"] if note.startswith(ABSENT)]
    assert absent.written == ""


def test_where_one_object_of_the_stage_is_left_a_heal_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    cluster = Cluster(tmp_path / "bin", namespace(OWN))
    _, out, err = run("drift", "test", "--work-tree", "--heal", "--project", project(tmp_path / "p"))
    assert "nothing of test" not in out + err
    assert " apply --filename=- --server-side" in cluster.written


def test_a_namespace_that_is_someone_elses_is_a_problem_and_not_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage's objects are in it: the file said namespaceOwned: false before."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    labels = {"name": "a", "namespace": "ml-test", "labels": OWN}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": labels, "spec": {}}
    held = {"kind": "List", "items": [namespace({}), deployment]}
    cluster = Cluster(tmp_path / "bin", held)
    for heal in ((), ("--heal",)):
        code, _, err = run("drift", "test", "--work-tree", *heal, "--project", project(tmp_path / "p"))
        assert code == 1
        assert "namespace = ml-test: exists and is not the stage's" in err
    assert cluster.written == ""
