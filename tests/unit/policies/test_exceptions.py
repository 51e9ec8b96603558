"""Exceptions from policies: reason and end are required, they end by the day of the commit, and all are listed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.files.sources import Sources
from components.stack import load_stack
from delivery.cli import app
from delivery.policies.exceptions import exemptions
from tests.support.projects import GOOD_STACK, entry, problems, project
from tests.support.repositories import git, init

ONE_REPLICA = entry('version: "v1"\nreplicas: 1')
DAY = "2030-06-15"


def exception(**fields: str) -> str:
    said = {"policy": "replicas", "name": "a", "reason": "small", "until": f'"{DAY}"', **fields}
    text = ", ".join(f"{key}: {value}" for key, value in said.items() if value)
    return f"  ml-deployments:policy: {{highAvailability: true, exceptions: [{{{text}}}]}}\n"


@pytest.mark.parametrize(
    ("fields", "field", "reason", "fix"),
    [
        ({"reason": ""}, "reason", "is required and missing", "add reason: <why>"),
        ({"reason": '" "'}, "reason", "is empty", "say why"),
        ({"until": ""}, "until", "is required and missing", 'add until: "<year-month-day>"'),
        ({"until": "2030-06-15"}, "until", "reads this as a date", '"2030-06-15"'),
        ({"until": '"2030-02-30"'}, "until", "must be a day of the calendar", '"2027-03-31"'),
        ({"until": '"20300615"'}, "until", "must be a day of the calendar", '"2027-03-31"'),
        ({"until": '"2030-W24-6"'}, "until", "must be a day of the calendar", '"2027-03-31"'),
        ({"until": '"never"'}, "until", "must be a day of the calendar", '"2027-03-31"'),
        ({"name": '"*a"'}, "name", "must be the name of a Kubernetes object", "kubectl"),
    ],
)
def test_a_wrong_exception_is_refused(
    tmp_path: Path, fields: dict[str, str], field: str, reason: str, fix: str
) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK + exception(**fields)))

    assert problem.field == f"config.ml-deployments:policy.exceptions[0].{field}"
    assert problem.file == "Pulumi.test.yaml"
    assert reason in problem.reason
    assert fix in problem.fix


def committed(folder: Path, when: str, text: str) -> Path:
    init(project(folder, text))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin", GIT_COMMITTER_DATE=when)
    return folder


@pytest.mark.parametrize(
    ("when", "ended"),
    [
        ("2030-06-15T23:59:00+00:00", False),
        ("2030-06-16T00:01:00+00:00", True),
        # In UTC the day before, and the day after.
        ("2030-06-16T01:00:00+02:00", False),
        ("2030-06-15T23:00:00-02:00", True),
    ],
)
def test_it_ends_by_the_day_of_the_commit(tmp_path: Path, when: str, ended: bool) -> None:
    folder = committed(tmp_path, when, ONE_REPLICA + exception())

    (found,) = exemptions(folder, load_stack(Sources.of(folder), "test").settings)
    done = CliRunner().invoke(app, ["policy", "--project", str(folder)])

    assert found.ended is ended
    assert done.exit_code == (1 if ended else 0)


def test_without_a_commit_it_has_not_ended(tmp_path: Path) -> None:
    folder = project(tmp_path, ONE_REPLICA + exception(until='"2001-01-01"'))

    (found,) = exemptions(folder, load_stack(Sources.of(folder), "test").settings)

    assert not found.ended


def test_the_command_lists_what_is_exempt_and_what_is_not_asked_for(tmp_path: Path) -> None:
    off = f'{{policy: resources, name: "*", reason: a quota does it, until: "{DAY}"}}, '
    text = exception().replace("exceptions: [", f"exceptions: [{off}")
    folder = committed(tmp_path, "2030-01-01T00:00:00+00:00", ONE_REPLICA + text)

    done = CliRunner().invoke(app, ["policy", "--project", str(folder)])

    lines = [line.strip() for line in done.stdout.splitlines()]
    assert f"resources: off for every object, until {DAY}: a quota does it" in lines
    assert f"replicas: exception for a, until {DAY}: small" in lines
    assert "image-digest: not asked for by requireDigest" in lines
    assert done.exit_code == 0
