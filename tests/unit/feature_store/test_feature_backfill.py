"""A backfill: one more Job for lines of the stack file, and which lines are refused."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.settings.feature_backfill import Backfill
from tests.support.feature_stores import stage
from tests.support.features import STORE
from tests.support.projects import Objects, named, problems

LINES = """\
    materialization:
      deadlineSeconds: 900
      retries: 3
      backfill: {from: "2026-01-01T00:00:00Z", until: "2026-11-24T00:00:00Z", views: [author_posts]}
"""
WITHOUT = re.sub(r" +backfill: .*\n", "", LINES)
RANGE = {"from": "2026-01-01T00:00:00Z", "until": "2026-11-24T00:00:00Z"}


def job(objects: Objects) -> dict[str, Any]:
    (found,) = [m for name, m in objects.items() if name.startswith("Job feature-store-backfill-")]
    return found


def refused(folder: Path, old: str, new: str) -> tuple[str, str, str]:
    """Field, reason and fix of the one problem."""
    assert old in LINES
    (problem,) = problems(stage(folder, store=STORE, more=LINES.replace(old, new)))
    assert problem.line is not None
    return problem.field, problem.reason, problem.fix


def test_the_lines_give_one_job_more_and_change_nothing_else(tmp_path: Path) -> None:
    without = named(stage(tmp_path / "a", more=WITHOUT))
    with_lines = named(stage(tmp_path / "b", more=LINES))
    name = f"Job {job(with_lines)['metadata']['name']}"

    assert {key: value for key, value in with_lines.items() if key != name} == without


def test_the_job_is_the_materialisation_s_in_all_but_its_command(tmp_path: Path) -> None:
    objects = named(stage(tmp_path, more=LINES))
    cron = objects["CronJob feature-store-materialization"]["spec"]["jobTemplate"]
    found = job(objects)

    assert found["metadata"]["labels"] == cron["metadata"]["labels"]
    assert found["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "3"
    (own,) = found["spec"]["template"]["spec"]["containers"]
    (of_cron,) = cron["spec"]["template"]["spec"]["containers"]
    of_cron |= {"name": own["name"], "command": own["command"]}
    assert found["spec"] == cron["spec"]
    assert (found["spec"]["backoffLimit"], found["spec"]["activeDeadlineSeconds"]) == (3, 900)


def test_the_first_run_overwrites_and_the_second_does_not(tmp_path: Path) -> None:
    objects = named(stage(tmp_path, more=LINES))
    (container,) = job(objects)["spec"]["template"]["spec"]["containers"]
    shell, option, script = container["command"]
    mounted = yaml.safe_load(objects["ConfigMap feature-store-configuration"]["data"]["feature_store.yaml"])
    (text,) = re.findall(r"<<'END'\n(.*)^END$", script, re.MULTILINE | re.DOTALL)
    own = yaml.safe_load(text)

    assert (shell, option) == ("sh", "-c")
    assert own["online_store"].pop("skip_dedup") is True
    assert own == mounted
    first, second = (line for line in script.splitlines() if line.startswith("feast "))
    assert "/tmp/overwriting.yaml materialize 2026-01-01T00:00:00Z 2026-11-24T00:00:00Z" in first
    assert "/etc/feast/feature_store.yaml materialize 2026-11-24T00:00:00Z " in second
    assert "--views author_posts" in first
    assert "--views author_posts" in second


def test_newer_values_come_back_also_after_a_first_run_that_fails(tmp_path: Path) -> None:
    (container,) = job(named(stage(tmp_path, more=LINES)))["spec"]["template"]["spec"]["containers"]
    shell, option, script = container["command"]
    feast = tmp_path / "feast"
    feast.write_text("#!/bin/sh\necho $4\ncase $4 in *overwriting*) exit 3 ;; esac\n")
    feast.chmod(0o755)
    script = script.replace("/tmp/overwriting", f"{tmp_path}/overwriting")
    done = subprocess.run(
        [shell, option, script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        f"{tmp_path}/overwriting.yaml",
        "/etc/feast/feature_store.yaml",
    ]


def test_another_spec_is_another_job(tmp_path: Path) -> None:
    def name(folder: str, store: str = STORE, old: str = "", new: str = "") -> str:
        text = LINES.replace(old, new) if old else LINES
        found: str = job(named(stage(tmp_path / folder, store=store, more=text)))["metadata"]["name"]
        return found

    own = name("a")
    assert name("b") == own
    assert name("c", old="[author_posts]", new="[author_posts, author_posts]") == own
    others = {
        name("d", old="11-24", new="11-25"),
        name("e", old="01-01", new="01-02"),
        name("f", old=", views: [author_posts]"),
        name("g", store=STORE.replace("0.67.0", "0.68.0")),
        name("h", old="retries: 3", new="retries: 4"),
    }
    assert len(others | {own}) == 6


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"until": "2026-01-01T00:00:00Z"}, "from (2026-01-01T00:00:00Z) is not before until (2026-01-01"),
        ({"from": "2026-01-01"}, "must be a time in UTC. Fix: write it like"),
        ({"from": "2026-01-01T00:00:00"}, "must be a time in UTC"),
        ({"from": "2026-01-01T00:00:00+01:00"}, "must be a time in UTC"),
        ({"from": "2026-02-30T00:00:00Z"}, "must be a time in UTC"),
        ({"from": "$(id)"}, "must be a time in UTC"),
        ({"views": []}, "at least 1 item"),
    ],
)
def test_what_is_not_a_range_of_time_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Backfill.model_validate_json(json.dumps({**RANGE, **changes}))
    (error,) = caught.value.errors()

    assert reason in f"{error['msg']}. Fix: {error.get('ctx', {}).get('fix')}"


def test_a_time_without_quotes_and_an_unknown_view_are_reported_with_their_line(tmp_path: Path) -> None:
    below = "config.ml-deployments:featureStore.materialization.backfill"

    assert refused(tmp_path / "a", '"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z") == (
        f"{below}.from",
        "without quotes YAML reads this as a date",
        'quote it: "2026-01-01T00:00:00Z"',
    )
    assert refused(tmp_path / "b", "[author_posts]", "[author_post]") == (
        f"{below}.views[0]",
        "is not a view that is materialised",
        "name one of author_posts",
    )
