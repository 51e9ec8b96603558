"""The dashboard of one model: what its runtime measures, its objectives, and what its alerts watch. Pure functions.

It contains neither the version nor the number of replicas, so that a release does not change it.
"""

from enum import StrEnum

from components.kubernetes.staged_model import StagedModel
from components.monitoring import links
from components.monitoring.alerts.model import wanted_alerts
from components.monitoring.alerts.quality import quality_value
from components.monitoring.dashboards.frame import (
    VERSION_VARIABLE,
    deployments,
    frame,
    version_variable,
)
from components.monitoring.dashboards.grafana_sdk import Json, models, plain, text, units
from components.monitoring.dashboards.objective_panels import objective_panels
from components.monitoring.dashboards.panels import (
    BAD,
    GOOD,
    HEIGHT,
    About,
    Query,
    Row,
    limits,
    spread,
    states,
    time_series,
)
from components.monitoring.dashboards.pod_panels import replica_panels, resource_panels
from components.monitoring.dashboards.traffic_panels import traffic_panels
from components.monitoring.recording_rules import model_labels
from components.monitoring.series import picked
from components.settings.watching import Direction, QualityGauge, QualityKind

_OF_VERSION = f'version=~"${VERSION_VARIABLE}"'


def model_dashboard(staged: StagedModel) -> Json:
    """The dashboard of a model in a stage."""
    labels = model_labels(staged)
    fleet = models.DashboardLink(
        title=f"All models in {staged.stage}",
        url=links.dashboard_path(staged.stage),
        icon="dashboard",
        include_vars=True,
        keep_time=True,
    )
    return frame(
        links.dashboard_uid(staged.stage, staged.name),
        f"{staged.name} in {staged.stage}",
        f"The model {staged.name} of {staged.model.owner} in the stage {staged.stage}.",
        [staged.stage, staged.model.owner],
        [
            Row(title="Traffic", panels=spread(traffic_panels(staged, _OF_VERSION))),
            Row(title="Objectives", panels=objective_panels(staged)),
            Row(title="Replicas and versions", panels=spread(replica_panels(staged, _OF_VERSION))),
            Row(title="Resources", panels=spread(resource_panels(staged))),
            Row(title="Quality", panels=spread(_quality_panels(staged))),
            Row(title="Alerts", panels=[_firing(staged), _runbooks(staged)]),
        ],
        links=[fleet],
        variables=[version_variable(labels)],
        annotations=[deployments(labels)],
    )


def _quality_panels(staged: StagedModel) -> list[Json]:
    return [_quality(staged, name, gauge) for name, gauge in sorted(staged.model.quality.items())]


def _quality(staged: StagedModel, name: str, gauge: QualityGauge) -> Json:
    stale = gauge.kind is QualityKind.STALENESS
    below = gauge.direction is Direction.BELOW
    what = f"The age of {gauge.metric}" if stale else gauge.metric
    return time_series(
        About(
            title=name,
            description=f"{what}. It is bad {'below' if below else 'above'} the line.",
            unit=units.Seconds if stale else units.Short,
        ),
        Query(expr=quality_value(staged, gauge)),
        drawn=limits(BAD, {gauge.threshold: GOOD}) if below else limits(GOOD, {gauge.threshold: BAD}),
        shaded=True,
    )


def _firing(staged: StagedModel) -> Json:
    alerts = picked("ALERTS", {"alertstate": "firing", "stage": staged.stage, "model": staged.name})
    return states(
        About(title="Alerts", description="When which alert of this model fired, with its severity."),
        Query(expr=f"max by (alertname, severity) ({alerts})", legend="{{alertname}} ({{severity}})"),
        "firing",
    )


def _runbooks(staged: StagedModel) -> Json:
    """The alerts that Prometheus has for this model, each with its runbook.

    A stopped model has fewer alerts; those of a running one are listed, since replicas must not change the dashboard.
    """
    found = dict.fromkeys(alert.name for alert in wanted_alerts(staged.running))
    lines = [_runbook(name, links.runbook_url(staged.stack.monitoring, name)) for name in found]
    return plain(
        text.Panel()
        .title("Runbooks")
        .description("What to do when an alert of this model fires.")
        .content("\n".join(lines) or "This model has no alerts.")
        .grid_pos(models.GridPos(w=8, h=HEIGHT))
    )


def _runbook(name: StrEnum, url: str) -> str:
    """A link where the stack names an address; a path in the repository would not work in Grafana."""
    return f"- [{name}]({url})" if "://" in url else f"- {name}: `{url}`"
