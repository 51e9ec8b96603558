"""The dashboard of one model: what its runtime measures, what it promises, and what its alerts look at. Pure functions.

It holds neither the version nor the number of replicas, so that a release does not change it.
"""

from enum import StrEnum

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
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings
from components.settings.watching import Direction, QualityGauge, QualityKind

_OF_VERSION = f'version=~"${VERSION_VARIABLE}"'


def model_dashboard(model: ModelSettings, stack: StackSettings) -> Json:
    """The dashboard of a model in a stage."""
    labels = model_labels(model, stack.namespace)
    fleet = models.DashboardLink(
        title=f"All models in {stack.stage}",
        url=links.dashboard_path(stack.stage),
        icon="dashboard",
        include_vars=True,
        keep_time=True,
    )
    return frame(
        links.dashboard_uid(stack.stage, model.name),
        f"{model.name} in {stack.stage}",
        f"The model {model.name} of {model.owner} in the stage {stack.stage}.",
        [stack.stage, model.owner],
        [
            Row(title="Traffic", panels=spread(traffic_panels(model, stack, _OF_VERSION))),
            Row(title="Objectives", panels=objective_panels(model, stack)),
            Row(title="Replicas and versions", panels=spread(replica_panels(model, stack, _OF_VERSION))),
            Row(title="Resources", panels=spread(resource_panels(model, stack))),
            Row(title="Quality", panels=spread(_quality_panels(model, stack))),
            Row(title="Alerts", panels=[_firing(model, stack), _runbooks(model, stack)]),
        ],
        links=[fleet],
        variables=[version_variable(labels)],
        annotations=[deployments(labels)],
    )


def _quality_panels(model: ModelSettings, stack: StackSettings) -> list[Json]:
    return [_quality(model, stack, name, gauge) for name, gauge in sorted(model.quality.items())]


def _quality(model: ModelSettings, stack: StackSettings, name: str, gauge: QualityGauge) -> Json:
    stale = gauge.kind is QualityKind.STALENESS
    below = gauge.direction is Direction.BELOW
    what = f"The age of {gauge.metric}" if stale else gauge.metric
    return time_series(
        About(
            title=name,
            description=f"{what}. It is bad {'below' if below else 'above'} the line.",
            unit=units.Seconds if stale else units.Short,
        ),
        Query(expr=quality_value(model, stack, gauge)),
        drawn=limits(BAD, {gauge.threshold: GOOD}) if below else limits(GOOD, {gauge.threshold: BAD}),
        shaded=True,
    )


def _firing(model: ModelSettings, stack: StackSettings) -> Json:
    alerts = picked("ALERTS", {"alertstate": "firing", "stage": stack.stage, "model": model.name})
    return states(
        About(title="Alerts", description="When which alert of this model fired, with its severity."),
        Query(expr=f"max by (alertname, severity) ({alerts})", legend="{{alertname}} ({{severity}})"),
        "firing",
    )


def _runbooks(model: ModelSettings, stack: StackSettings) -> Json:
    """The alerts that Prometheus has for this model, each with its runbook.

    A stopped model has fewer alerts; those of a running one are listed, since replicas must not change the dashboard.
    """
    running = model.model_copy(update={"replicas": max(1, model.replicas)})
    found = dict.fromkeys(alert.name for alert in wanted_alerts(running, stack))
    lines = [_runbook(name, links.runbook_url(stack.monitoring, name)) for name in found]
    return plain(
        text.Panel()
        .title("Runbooks")
        .description("What to do when an alert of this model fires.")
        .content("\n".join(lines) or "This model has no alerts.")
        .grid_pos(models.GridPos(w=8, h=HEIGHT))
    )


def _runbook(name: StrEnum, url: str) -> str:
    """A link where the stack names an address; the path in the repository leads nowhere from Grafana."""
    return f"- [{name}]({url})" if "://" in url else f"- {name}: `{url}`"
