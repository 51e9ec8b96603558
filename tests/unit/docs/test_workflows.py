"""The workflows follow the rules in docs/push.md; actionlint checks the rest."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.projects import CHECKOUT
from tests.support.repositories import MAIN, Work

FOLDER = CHECKOUT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yaml"))
FILES = [*WORKFLOWS, *sorted((FOLDER / "actions").rglob("action.yml"))]
WRITING = {
    "comment": {"contents": "read", "pull-requests": "write"},
    "tag": {"contents": "write"},
    "render": {"contents": "write"},
}


def load(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        yield from load(path)["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    data = load(path)
    groups = [data["runs"]] if "runs" in data else data["jobs"].values()
    for group in groups:
        yield from group.get("steps", ())


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert line.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), (
            line
        )


def test_an_action_has_one_pin_everywhere() -> None:
    found = {use for path in FILES for use in re.findall(r"uses: ([^.].*)", path.read_text(encoding="utf-8"))}
    assert len({use.partition("@")[0] for use in found}) == len(found)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_expression_is_inside_a_script(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_every_job_is_bounded_and_on_a_pinned_runner() -> None:
    for job, settings in jobs():
        if "uses" not in settings:
            assert settings["timeout-minutes"] <= 120, job
            assert re.fullmatch(r"ubuntu-\d\d\.04", settings["runs-on"]), job


def test_only_the_named_jobs_may_write() -> None:
    for path in WORKFLOWS:
        assert load(path)["permissions"] in ({}, {"contents": "read"}), path.name
    for job, settings in jobs():
        if "uses" not in settings and "write" in settings.get("permissions", {}).values():
            assert settings["permissions"] == WRITING[job]


def test_what_writes_tags_sees_no_secret_and_what_sees_secrets_keeps_no_token() -> None:
    for job, settings in jobs():
        text = str(settings)
        if settings.get("permissions", {}).get("contents") == "write":
            assert "${{ secrets." not in text
        elif "${{ secrets." in text:
            (checkout,) = [s for s in settings["steps"] if s.get("uses", "").startswith("actions/checkout")]
            assert checkout["with"]["persist-credentials"] is False, job


def test_deployments_are_one_at_a_time_alone_in_their_group_and_never_cancelled() -> None:
    groups = {job: settings.get("concurrency", {}) for job, settings in jobs()}
    assert groups.pop("deploy") == {"group": "deploy-${{ inputs.stage }}", "cancel-in-progress": False}
    assert not any("deploy" in str(group) for group in groups.values())


def test_pull_requests_of_forks_are_not_reviewed_and_do_not_pass() -> None:
    review = load(FOLDER / "workflows" / "review.yaml")["jobs"]
    assert "head.repo.full_name == github.repository" in review["review"]["if"]
    assert review["verdict"]["if"] == "always()"
    (step,) = review["verdict"]["steps"]
    for results, passed in (
        (("success", "skipped"), True),
        (("failure", "success"), True),
        (("failure", "failure"), False),
        (("failure", "skipped"), False),
        (("skipped", "skipped"), False),
        (("cancelled", "skipped"), False),
    ):
        told = dict(zip(("REVIEW", "ACCEPTED"), results, strict=True))
        environment = {**os.environ, **told, "GITHUB_STEP_SUMMARY": os.devnull}
        done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, check=False)
        assert (done.returncode == 0) is passed, results


def test_what_a_pull_request_may_change_sees_no_secret() -> None:
    """Of the other events the workflow itself is main's."""
    for path in WORKFLOWS:
        data = load(path)
        # YAML 1.1 reads `on` as true.
        if "pull_request" in data[True]:
            assert "secrets" not in path.read_text(encoding="utf-8").partition("jobs:")[2]
            assert "environment" not in str(data["jobs"])


def test_no_job_with_secrets_or_rights_checks_out_the_pull_request() -> None:
    for path in WORKFLOWS:
        if "pull_request" in load(path)[True]:
            continue
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout"):
                assert not {"ref", "repository"} & {*step.get("with", {})}, path.name
    text = (FOLDER / "workflows" / "review-stage.yaml").read_text(encoding="utf-8")
    page, comment = load(FOLDER / "workflows" / "review-stage.yaml")["jobs"].values()
    assert "pull-requests" not in page["permissions"]
    assert not {"environment", "env"} & comment.keys()
    assert "secrets" not in str(comment)
    assert "fetch-pull-request" not in str(comment)
    assert text.count("fetch-pull-request") == 1


def test_the_program_of_a_pull_request_runs_only_after_someone_accepted_it() -> None:
    jobs = load(FOLDER / "workflows" / "review.yaml")["jobs"]
    assert jobs["review"]["with"]["flags"] == "--without-code"
    assert jobs["accepted"]["with"]["flags"] == "--accepted"
    assert jobs["accepted"]["needs"] == "accept"
    assert jobs["accept"]["environment"] == "accept"
    assert jobs["accept"]["permissions"] == {}
    (step,) = jobs["accept"]["steps"]
    for value, passed in (("true", True), ("", False)):
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], env={**os.environ, "HAS_REVIEWERS": value}, check=False
        )
        assert (done.returncode == 0) is passed


def test_a_pull_request_that_moved_on_is_not_fetched_for_an_older_run(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "origin")
    base = work.head
    work.git("checkout", "--quiet", "-b", "change")
    head = work.commit("Change", {"a": "b"})
    work.git("checkout", "--quiet", MAIN)
    merge = work.merge("change")
    work.git("update-ref", "refs/pull/7/merge", merge)
    work.git("reset", "--quiet", "--hard", base)
    clone = work.clone(tmp_path / "clone")

    def fetch(revision: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "-f", str(CHECKOUT / "Makefile"), "fetch-pull-request", "PULL_REQUEST=7"]
        return subprocess.run(
            [*command, f"REVISION={revision}"],
            cwd=clone.folder,
            env={**os.environ, "TOKEN": "obviously-not-one"},
            capture_output=True,
            text=True,
            check=False,
        )

    done = fetch(head)
    assert done.returncode == 0, done.stderr
    assert clone.git("rev-parse", "refs/pull-request") == merge
    assert clone.state()[2] == ""
    done = fetch(base)
    assert done.returncode != 0
    assert f"The pull request is not at {base}" in done.stderr
    assert "obviously-not-one" not in done.stdout + done.stderr


def test_what_the_workflows_call_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    called = {
        target
        for path in FILES
        for step in steps(path)
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
    }
    assert called >= {
        "test",
        "fetch-pull-request",
        "review",
        "comment",
        "deploy",
        "tag",
        "push-tags",
        "drift",
        "rendered",
    }
    assert called <= set(targets)


def test_the_matrices_name_the_stages() -> None:
    stages = {path.name.split(".")[1] for path in CHECKOUT.glob("Pulumi.*.yaml")}
    named = [set(s["strategy"]["matrix"]["stage"]) for _, s in jobs() if "strategy" in s]
    deployed = {s["with"]["stage"] for _, s in jobs() if "uses" in s and "strategy" not in s}
    assert all(names == stages for names in [*named, deployed])


def test_a_deployment_asks_the_policies_before_it_touches_anything() -> None:
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    recipe = text.partition("\ndeploy:")[2].partition("\n\n")[0]
    policy, update = recipe.index('policy "$(STAGE)"'), recipe.index("pulumi up")
    assert policy < update
