"""`python -m delivery policy`."""

from typing import Annotated

import typer

from components.files.sources import Sources
from delivery.commands.common import HERE, Project, known_stage
from delivery.output import problems, say
from delivery.policies.exceptions import exemptions, not_asked
from delivery.policies.findings import Level, violations
from delivery.rendering.stage_at import StageAt


def policy(
    stage: Annotated[str | None, typer.Argument(help="Only this stage.")] = None,
    project: Project = HERE,
) -> None:
    """Check what the program would deploy against the policies, and list what is exempt from them."""
    if stage is not None:
        known_stage(project, stage)
    refused = False
    sources = Sources.of(project)
    for name in sources.stages if stage is None else (stage,):
        with problems():
            at = StageAt(sources=sources, stage=name)
            objects = at.manifests
            found = violations(project, at.settings, objects)
        counts = {level: sum(violation.level is level for violation in found) for level in Level}
        say(
            f"{name}: {len(objects)} objects, {counts[Level.MANDATORY]} mandatory and "
            f"{counts[Level.ADVISORY]} advisory violations"
        )
        for line in (*exemptions(project, at.settings), *not_asked(at.settings)):
            say(f"  {line}")
        for violation in found:
            say(f"  {violation.level.value}: {violation}", err=violation.level is Level.MANDATORY)
        refused = refused or counts[Level.MANDATORY] > 0
    if refused:
        raise typer.Exit(1)
