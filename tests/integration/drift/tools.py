"""What the tools that detect drift report about a project."""

import json
import re
from typing import Any

from sandbox.harness.clone import CHECKOUT, Clone
from tests.integration.drift.case import DriftCase, Place

Entry = dict[str, Any]
PAGE = CHECKOUT / "docs" / "drift.md"
YES, NO = "yes", "no"


def place(project: Clone, model: str, stage: str = "test") -> Place:
    """A model of one of the project's stages."""

    def kubectl(*arguments: str) -> str:
        return project.run("kubectl", *arguments).stdout

    return Place(kubectl=kubectl, stage=stage, namespace=project.namespace, model=model)


def drift(project: Clone, *flags: str, code: int) -> dict[str, Any]:
    """The answer of `delivery drift --json`, which must end with the code."""
    done = project.python("delivery", "drift", "test", "--json", *flags, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def names(case: DriftCase, found: list[Entry], where: Place) -> bool:
    """True when the entries name the class's object and field."""
    field = where.fill(case.field)
    return any((e["kind"], e["class"], e["field"]) == (case.kind, case.drift, field) for e in found)


def refresh_sees(project: Clone) -> bool:
    """True when `pulumi refresh` finds that the cluster differs from its state."""
    # A rollout under way counts as a difference, too.
    project.run("kubectl", "rollout", "status", "deployment", f"--namespace={project.namespace}", check=False)
    done = project.pulumi("refresh", "--preview-only", "--expect-no-changes", check=False)
    assert done.returncode == 0 or "expected" in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode != 0


def page_row(name: str) -> dict[str, str]:
    """The row of a class in the table of docs/drift.md, by column."""
    table = re.findall(r"^\|(.+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in table]
    columns = next(row for row in rows if row[0] == "class of drift")
    return next(dict(zip(columns, row, strict=True)) for row in rows if row[0] == name)


def word(seen: bool) -> str:
    """As the page writes it."""
    return YES if seen else NO
