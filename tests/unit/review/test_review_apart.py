"""The code of a change decides nothing about its review: it runs apart, sees no credential, or does not run at all."""

import shutil
from pathlib import Path

import pytest

from components.settings.feature_store import REGISTRY_URL
from delivery.registries.errors import Unavailable
from delivery.rendering.program import ProgramError, objects
from tests.support import programs
from tests.support.projects import CHECKOUT, MODEL, project
from tests.support.repositories import Work
from tests.support.reviewed import FILE, STACK, repository, reviewed, stand_ins

TOKENS = ("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "MLFLOW_TRACKING_TOKEN", "DOCKER_CONFIG", REGISTRY_URL)
NEEDED = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL", "KUBECONFIG")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A repository whose program is that of the checkout; every review runs it for both commits."""
    stand_ins(tmp_path, monkeypatch)
    work = repository(tmp_path / "project")
    shutil.copytree(CHECKOUT / "components", work.folder / "components")
    work.commit("Program", {".gitignore": "__pycache__/\n"})
    return work


def rename(work: Work) -> str:
    """The text of a program that renames every object."""
    text = (work.folder / "components" / "program.py").read_text()
    return text.replace(
        "return objects(load_stack(Sources.of(project), stage).settings)",
        "found = objects(load_stack(Sources.of(project), stage).settings)\n"
        "    for one in found:\n        one['metadata']['labels']['renamed'] = 'yes'\n    return found",
    )


def test_a_program_sees_no_variable_and_no_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*TOKENS, *NEEDED):
        monkeypatch.setenv(name, "secret")
    seen = tmp_path / "seen"
    program = f"""
import os
from pathlib import Path
def rendered(project, stage):
    Path({str(seen)!r}).write_text("\\n".join([*os.environ, os.environ["HOME"], os.getcwd()]))
    return []
"""
    programs.write(project(tmp_path / "p"), program)
    assert objects(tmp_path / "p", "test") == []
    names = seen.read_text().splitlines()
    assert not {*names} & {*TOKENS, *NEEDED}
    assert str(Path.home()) not in names
    assert str(Path.cwd()) not in names


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("def rendered(p, s):\n    return [1]\n", "rendered something that is not a Kubernetes object"),
        (
            "def rendered(p, s):\n    return {'kind': 'x'}\n",
            "rendered something that is not a Kubernetes object",
        ),
        (
            "def rendered(p, s):\n    return [{'kind': 'A', 'apiVersion': 'v1', 'metadata': {'name': 1}}]\n",
            "rendered something that is not a Kubernetes object",
        ),
        ("def rendered(p, s):\n    return [object()]\n", "not JSON serializable"),
        ("import os\ndef rendered(p, s):\n    os._exit(7)\n", "exit code 7 and rendered nothing"),
        ("import os\ndef rendered(p, s):\n    os.abort()\n", "exit code -6 and rendered nothing"),
        (
            "import os\ndef rendered(p, s):\n    os.write(3, b'[' * 100000)\n    os._exit(0)\n",
            "exit code 0 and rendered nothing",
        ),
    ],
)
def test_whatever_a_program_answers_is_objects_or_one_message(
    tmp_path: Path, program: str, said: str
) -> None:
    programs.write(project(tmp_path), program)
    with pytest.raises(ProgramError, match=said):
        objects(tmp_path, "test")


def test_what_a_program_prints_is_not_its_answer(tmp_path: Path) -> None:
    programs.write(project(tmp_path), "print('[]')\ndef rendered(p, s):\n    print('x')\n    return []\n")
    assert objects(tmp_path, "test") == []


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.rendering.apart.SECONDS", 1)
    programs.write(project(tmp_path), "import time\ntime.sleep(60)\n")
    with pytest.raises(ProgramError, match="did not end within 1 s"):
        objects(tmp_path, "test")


def test_a_program_that_would_change_the_review_changes_nothing_of_it(work: Work) -> None:
    attack = "\nimport sys\nimport delivery.review.page as page\npage.failed = lambda *a: False\n"
    weaker = STACK.replace("requireDigest: true", "requireDigest: false")
    work.commit("Attack", {"components/program.py": rename(work) + attack, FILE: weaker})
    code, page = reviewed(work)
    assert code == 1
    assert "**weakens**: <code>requireDigest</code>: <code>true</code> → <code>false</code>" in page


def test_without_code_the_program_of_the_base_commit_makes_the_objects(work: Work) -> None:
    files = {
        "components/program.py": rename(work),
        FILE: STACK.replace('"v1"', '"v2"'),
    }
    work.commit("Both", files)
    code, page = reviewed(work, "--without-code")
    assert code == 1
    assert "**The change's program was not run** (1 file)" in page
    assert "+          value: v2" in page
    assert "renamed" not in page
    code, page = reviewed(work, "--accepted")
    assert code == 0, page
    assert "renamed: &#39;yes&#39;" in page or "renamed: 'yes'" in page
    assert "was not run" not in page


def test_without_code_a_change_of_data_alone_passes(work: Work) -> None:
    work.commit("Bump", {FILE: STACK.replace('"v1"', '"v2"')})
    code, page = reviewed(work, "--without-code")
    assert code == 0, page
    assert "was not run" not in page
    assert "1 commit" not in page


def test_without_code_pulumi_finds_only_the_code_of_the_base_commit(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "listed"
    (tmp_path / "bin" / "pulumi").write_text(
        f"#!/bin/sh\nls -A > {listed}\ncat Pulumi.yaml >> {listed}\necho '{{}}'\n"
    )
    work.commit("Settings", {"Pulumi.yaml": "name: base\n"})
    work.git("rm", "--quiet", "Makefile")
    work.commit("Code", {"Pulumi.yaml": "name: other\n", "pulumi.py": "", "models/b.yaml": "x", "c/d.py": ""})
    reviewed(work, "--without-code")
    names = listed.read_text().split()
    assert {"Makefile", "__main__.py", "components", "models", "base"} <= {*names}
    assert not {*names} & {"pulumi.py", "c", "other"}


def test_without_code_other_keys_of_the_engine_are_not_given_to_it(work: Work, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "bin" / "pulumi").write_text(f"#!/bin/sh\ntouch {ran}\necho '{{}}'\n")
    work.commit("Engine", {FILE: f"secretsprovider: hashivault://x\n{STACK}"})
    code, page = reviewed(work, "--without-code")
    assert code == 1
    assert "is not previewed before someone accepts them" in page
    assert not ran.exists()


def test_without_code_no_token_goes_to_another_model_registry(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def find(address: str, *more: object) -> None:
        asked.append(address)
        raise Unavailable("not there", "start it")

    monkeypatch.setattr("delivery.registries.facts.find_version", find)
    mine, other = (f"modelRegistry: {{mlflow: https://{name}.example.com}}" for name in ("mlflow", "other"))
    stack = STACK.replace("policy:", f"{mine}\n  ml-deployments:policy:", 1)
    work.commit("Registry", {FILE: stack, "models/a.yaml": f"{MODEL}registeredModel: {{name: m}}\n"})
    work.commit("Other", {FILE: stack.replace(mine, other).replace('"v1"', '"v2"')})
    assert reviewed(work, "--without-code")[0] == 1
    assert asked == ["https://mlflow.example.com"]
    reviewed(work, "--accepted")
    assert asked[1:] == ["https://other.example.com"]


def test_the_preview_sees_what_pulumi_needs_and_no_other_credential(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*TOKENS, *NEEDED):
        monkeypatch.setenv(name, "obviously-not-one")
    seen = tmp_path / "seen"
    (tmp_path / "bin" / "pulumi").write_text(f"#!/bin/sh\nenv > {seen}\necho '{{}}'\n")
    work.commit("Bump", {FILE: STACK.replace('"v1"', '"v2"')})
    reviewed(work)
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert {*NEEDED} <= names
    assert not {*TOKENS} & names
