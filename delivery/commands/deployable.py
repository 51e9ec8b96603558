"""`python -m delivery deployable`."""

from components.files.sources import Sources
from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.drift.kubectl import Kubectl
from delivery.output import problems, say
from delivery.releases.deployable import deployable as run_deployable
from delivery.releases.kinds import refuse_unknown_kinds


def deployable(stage: Stage, project: Project = HERE) -> None:
    """Refuse a checkout that must not be deployed to a stage: changed, older than what runs, or of another branch.

    Also refuse a cluster that lacks a kind of object that the stage contains, or where the stage's namespace is someone
    else's.
    """
    known_stage(project, stage)
    # Imported here, so that --help does not wait for what renders a stage.
    from delivery.releases.namespaces import refuse_namespaces_of_others  # noqa: PLC0415
    from delivery.rendering.stage_at import StageAt  # noqa: PLC0415

    with problems():
        found = run_deployable(project, stage)
        at = StageAt(sources=Sources.of(project), stage=stage, commit=found.commit)
        kubectl = Kubectl(at.settings.kube_context)
        refuse_unknown_kinds(at.manifests, kubectl)
        refuse_namespaces_of_others(at.settings, kubectl)
    before = f"after {found.deployed[:12]}" if found.deployed else "as the first one known"
    say(f"{found.commit[:12]} may be deployed to {stage}, {before}")
