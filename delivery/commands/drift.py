"""`python -m delivery drift`."""

import json
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.drift.comparing import Drift
from delivery.drift.healing import Healed, refuse_other_release
from delivery.drift.healing import heal as run_heal
from delivery.drift.kubectl import Kubectl
from delivery.drift.looking import Findings, look
from delivery.drift.report import COLUMNS, document, remedies, row
from delivery.drift.target import Target, refuse_overtaken, target
from delivery.output import counted, print_table, problems, say

DRIFT_FOUND = 3


def drift(
    stage: Stage,
    *,
    heal: Annotated[bool, typer.Option("--heal", help="Restore what the commit declares.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    revision: Annotated[
        str | None, typer.Option("--revision", help="The commit to compare with; default: HEAD.")
    ] = None,
    work_tree: Annotated[
        bool, typer.Option("--work-tree", help="Compare with the files as they are, committed or not.")
    ] = False,
    project: Project = HERE,
) -> None:
    """Compare the cluster with a commit: exit 0 without drift, 3 with it. Changes nothing without --heal."""
    if work_tree and revision is not None:
        raise typer.BadParameter(
            "is a commit, and --work-tree means none; leave one out", param_hint="--revision"
        )
    known_stage(project, stage, revision)
    with problems():
        wanted = target(project, stage, revision=revision, work_tree=work_tree)
        if heal:
            refuse_overtaken(project, wanted)
        kubectl = Kubectl(wanted.settings.kube_context)
        found = look(wanted, kubectl)
        if heal and revision is None:
            refuse_other_release(found)
        healed = run_heal(wanted, kubectl, found) if heal and found.drift else None
    left = healed.after if healed else found
    if as_json:
        say(json.dumps(document(wanted, left, healed.healed if healed else ()), indent=2))
    else:
        _print(wanted, left, healed)
    for line in [*left.problems, *(healed.refused if healed else ())]:
        say(line, err=True)
    if left.problems:
        raise typer.Exit(1)
    if left.drift:
        raise typer.Exit(DRIFT_FOUND)


def _print(wanted: Target, left: Findings, healed: Healed | None) -> None:
    stage = wanted.settings.stage
    if healed and healed.healed:
        say(f"Healed in {stage}:")
        _table(healed.healed)
    if left.drift:
        say(f"Drift left in {stage}:" if healed else f"Drift in {stage}:")
        _table(left.drift)
    commit = wanted.revision[:12] if wanted.revision else "the files as they are"
    say(
        f"{stage}: {len(wanted.manifests)} objects compared with {commit}: {counted(len(left.drift), 'difference')}, "
        f"{len(left.ignored)} ignored"
    )
    for line in [*wanted.notes, *left.notes, *(remedies(left.drift) if healed else ())]:
        say(line)


def _table(drifts: tuple[Drift, ...]) -> None:
    print_table(COLUMNS, map(row, drifts), lines=True)
