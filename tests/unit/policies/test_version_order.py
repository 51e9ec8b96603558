"""A model's version goes forward, or back by a revert: the order of versions, and how git records them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.files.sources import Sources
from components.stack import load_stack
from delivery.cli import app
from delivery.git.reverts import is_revert
from delivery.policies.findings import Level, Violation, version_violations
from delivery.policies.version_order import goes_back
from tests.support.projects import entry, project
from tests.support.repositories import git, init


@pytest.mark.parametrize(
    ("before", "after", "back"),
    [
        ("v1.2.0", "v1.10.0", False),
        ("v1.10.0", "v1.2.0", True),
        ("v1.3-rc1", "v1.3.0", False),
        ("v1.3.0", "v1.3-rc1", True),
        ("v1", "v1.0.0", False),
        ("2026-01-09-a", "2026-01-10-a", False),
        ("2026-01-10-a", "2026-01-09-a", True),
        ("build_10_x", "build_9_x", True),
        ("9f3ab21c", "77be01dd", None),
        ("1234567", "0234567", None),
        ("9a12345", "4a12345", None),
        ("main-2234567", "main-1234567", None),
        ("v1.2.0", "1234567", None),
        ("v1.10.0-1234567", "v1.2.0-1234567", None),
        ("123456", "23456", True),
        ("v1234567", "v234567", True),
        ("20260110", "20260109", True),
        ("202601092359", "202601100000", False),
        ("build-20260110-2", "build-20260109-3", True),
        ("1.1234567", "1.1234566", True),
        ("v1.2.0", "main-build", None),
    ],
)
def test_which_version_is_older(before: str, after: str, back: bool | None) -> None:
    assert goes_back(before, after) is back


def test_what_a_revert_is() -> None:
    assert is_revert("This reverts commit 0123456789abcdef.", {})
    assert is_revert("", {"Reverts": "0123456"})
    assert not is_revert("Somebody said: This reverts commit 0123456789abcdef.", {})
    assert not is_revert("", {"Model": "a"})


def write(folder: Path, version: str, more: str = "") -> None:
    (folder / "Pulumi.test.yaml").write_text(entry(f'version: "{version}"\nreplicas: 2') + more)


def release(folder: Path, version: str, message: str = "Release") -> None:
    write(folder, version)
    git(folder, "commit", "--quiet", "--all", "--allow-empty", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project in a repository whose model went from v1 to v2."""
    folder = project(tmp_path / "origin")
    init(folder)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    release(folder, "v2")
    return folder


def judged(folder: Path) -> list[Violation]:
    return version_violations(folder, load_stack(Sources.of(folder), "test").settings)


def test_forward_passes(repository: Path) -> None:
    assert judged(repository) == []


def test_back_in_a_commit_is_found_also_after_other_commits(repository: Path) -> None:
    release(repository, "v1")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Something else")
    text = (repository / "Pulumi.test.yaml").read_text()
    (repository / "Pulumi.test.yaml").write_text(text.replace("replicas: 2", "replicas: 3"))
    git(repository, "commit", "--quiet", "--all", "--message", "Scale")

    (violation,) = judged(repository)

    assert violation.policy == "version-order"
    assert violation.object == "Deployment ml-test/a"
    assert violation.level is Level.MANDATORY
    assert "takes the version back from v2 to v1" in violation.problem.reason


def test_back_and_then_forward_passes(repository: Path) -> None:
    release(repository, "v1")
    release(repository, "v3")
    assert judged(repository) == []


def test_back_before_the_commit_is_found(repository: Path) -> None:
    write(repository, "v1")
    (violation,) = judged(repository)
    assert violation.problem.reason.startswith("a change that is not committed takes the version back")


def test_a_revert_and_a_trailer_pass(repository: Path) -> None:
    git(repository, "revert", "--no-edit", "HEAD")
    assert judged(repository) == []
    release(repository, "v2")
    release(repository, "v1", "Back again\n\nReverts: HEAD~1")
    assert judged(repository) == []


def test_a_revert_of_a_merge_passes(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "feature")
    release(repository, "v3")
    git(repository, "switch", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    assert judged(repository) == []
    git(repository, "revert", "--no-edit", "--mainline", "1", "HEAD")
    assert judged(repository) == []


def test_a_revert_that_was_merged_passes_although_the_branch_went_on(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "rollback")
    git(repository, "revert", "--no-edit", "HEAD")
    git(repository, "switch", "--quiet", "main")
    text = (repository / "Pulumi.test.yaml").read_text()
    (repository / "Pulumi.test.yaml").write_text(f"# Of the test\n{text}")
    git(repository, "commit", "--quiet", "--all", "--message", "Meanwhile")
    git(repository, "merge", "--quiet", "--no-ff", "--no-edit", "rollback")
    assert 'version: "v1"' in (repository / "Pulumi.test.yaml").read_text()
    assert judged(repository) == []


def test_an_exception_lets_a_version_go_back(repository: Path) -> None:
    exceptions = (
        "  ml-deployments:policy:\n    exceptions:\n"
        '      - {policy: version-order, name: a, reason: renumbered, until: "2999-12-31"}\n'
    )
    write(repository, "v1", exceptions)
    (violation,) = judged(repository)
    assert violation.level is Level.ADVISORY
    assert "renumbered" in violation.problem.reason


def test_versions_without_an_order_are_reported(repository: Path) -> None:
    release(repository, "blue")
    (violation,) = judged(repository)
    assert violation.level is Level.ADVISORY
    assert "whether blue is older than v2 cannot be determined" in violation.problem.reason


def test_a_new_and_a_moved_in_model_pass(repository: Path) -> None:
    (repository / "models" / "b.yaml").write_text((repository / "models" / "a.yaml").read_text())
    more = '    b:\n      version: "v1"\n      replicas: 2\n'
    (repository / "Pulumi.test.yaml").write_text((repository / "Pulumi.test.yaml").read_text() + more)
    assert judged(repository) == []


def test_a_shallow_clone_says_what_it_lacks(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), tmp_path / "shallow")

    (violation,) = judged(tmp_path / "shallow")

    assert violation.level is Level.ADVISORY
    assert "shallow and lacks the last change of a" in violation.problem.reason
    assert violation.problem.fix == "`git fetch --unshallow`"


def test_a_shallow_clone_with_the_change_checks_it(repository: Path, tmp_path: Path) -> None:
    release(repository, "v1")
    git(tmp_path, "clone", "--quiet", "--depth", "2", repository.as_uri(), tmp_path / "shallow")

    (violation,) = judged(tmp_path / "shallow")

    assert violation.level is Level.MANDATORY


def test_without_git_the_rule_says_that_it_was_not_checked(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = project(tmp_path / "alone")
    (violation,) = judged(alone)
    assert violation.level is Level.ADVISORY
    assert violation.object == "Pulumi.test.yaml"
    assert "in no git repository" in violation.problem.reason

    monkeypatch.setenv("PATH", str(tmp_path))
    (violation,) = judged(repository)
    assert violation.level is Level.ADVISORY
    assert "git is not installed" in violation.problem.reason


def test_before_the_first_commit(tmp_path: Path) -> None:
    folder = project(tmp_path)
    git(folder, "init", "--quiet")
    (violation,) = judged(folder)
    assert violation.level is Level.ADVISORY


def test_the_command_refuses_a_version_that_goes_back(repository: Path) -> None:
    arguments = ["policy", "--project", str(repository)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "0 mandatory and 0 advisory violations" in done.output

    write(repository, "v1")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "mandatory: version-order: Deployment ml-test/a: a change that is not committed" in done.stderr
    assert CliRunner().invoke(app, ["policy", "nowhere", *arguments[1:]]).exit_code == 2
