"""The workflows follow the rules in docs/push.md; actionlint checks the rest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.projects import CHECKOUT

FOLDER = CHECKOUT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yaml"))
FILES = [*WORKFLOWS, *sorted((FOLDER / "actions").rglob("action.yml"))]
WRITING = {
    "review": {"contents": "read", "pull-requests": "write"},
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


def test_pull_requests_of_forks_are_not_run_with_secrets() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    assert "pull_request_target" not in text
    review = dict(jobs())["review"]
    assert "head.repo.full_name == github.repository" in review["if"]


def test_what_the_workflows_call_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    called = {
        target
        for path in FILES
        for step in steps(path)
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
    }
    assert called >= {"test", "review", "comment", "deploy", "tag", "push-tags", "drift", "rendered"}
    assert called <= set(targets)


def test_the_matrices_name_the_stages() -> None:
    stages = {path.name.split(".")[1] for path in CHECKOUT.glob("Pulumi.*.yaml")}
    named = [set(s["strategy"]["matrix"]["stage"]) for _, s in jobs() if "strategy" in s]
    deployed = {s["with"]["stage"] for _, s in jobs() if "uses" in s}
    assert all(names == stages for names in [*named, deployed])


def test_a_deployment_asks_the_policies_before_it_touches_anything() -> None:
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    recipe = text.partition("\ndeploy:")[2].partition("\n\n")[0]
    policy, update = recipe.index('policy "$(STAGE)"'), recipe.index("pulumi up")
    assert policy < update
