"""`python -m delivery promote`."""

from typing import Annotated

import typer

from delivery.commands.common import HERE, Model, Project, known_model, known_stage
from delivery.git.branches import push_hint
from delivery.git.repository import Repository
from delivery.output import print_table, problems, say
from delivery.promotion.promote import promote as run_promote
from delivery.promotion.promote import promote_on_branch
from delivery.promotion.promotion import Promotion, Request
from delivery.registries.facts import release_facts
from delivery.registries.gates import Verdict


def promote(  # noqa: PLR0917 - Typer gives every option by its name
    model: Model,
    target: Annotated[str, typer.Option("--to", help="The stage to change.")],
    source: Annotated[
        str | None, typer.Option("--from", help="The stage that runs the version; omit it for a new version.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="The version; default: the one that --from runs at HEAD.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", help="Why the version need not have run in --from, or may be older; recorded."
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option("--replicas", min=0, help="For a model that --to does not run yet; else refused."),
    ] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Commit on a new branch; the checkout stays as it is.")
    ] = False,
    project: Project = HERE,
) -> None:
    """Give a stage a version of a model, new or from another stage: edits one line of the stack file."""
    known_model(project, model)
    known_stage(project, target, hint="--to")
    if source is not None:
        known_stage(project, source, hint="--from")
    elif version is None:
        raise typer.BadParameter("give --version, or --from the stage that runs it", param_hint="--version")
    if source == target:
        raise typer.BadParameter(f"--from and --to are both {source}", param_hint="--to")
    if reason is not None and not reason.strip():
        raise typer.BadParameter("say why in a few words", param_hint="--reason")
    request = Request(
        model=model, source=source, target=target, version=version, reason=reason, replicas=replicas
    )
    with problems():
        repository = Repository(project)
        if commit:
            promotion, made = promote_on_branch(repository, request, release_facts)
        else:
            promotion, made = run_promote(repository, request, release_facts), None
    _print(promotion)
    if made is None:
        say(f"{request.file} was edited. Next: `python -m delivery check`, then commit it")
    else:
        say(
            f"Committed {made[:10]} on the branch {promotion.branch}; the checkout is as it was.\n"
            f"Next: {push_hint(repository, promotion.branch)}"
        )


def _print(promotion: Promotion) -> None:
    say(promotion.diff())
    if promotion.facts is not None and promotion.facts.verdicts:
        print_table(("metric", "before", "after", "gate", "verdict"), map(_cells, promotion.facts.verdicts))
    for note in promotion.notes:
        say(note)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    values = ("-" if value is None else str(value) for value in (verdict.before, verdict.after))
    return verdict.metric, *values, verdict.rule, verdict.reason or "passed"
