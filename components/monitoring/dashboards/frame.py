"""The parts of every dashboard besides its panels: variables, deployments, links, times. Pure functions."""

import json
from collections.abc import Mapping, Sequence

from components.monitoring import series
from components.monitoring.dashboards.grafana_sdk import Builder, Json, dashboard, models, plain
from components.monitoring.dashboards.panels import DATASOURCE, DATASOURCE_VARIABLE, Row, placed
from components.monitoring.series import Labels, picked
from components.settings.stack import PROJECT

VERSION_VARIABLE = "version"
# Long enough for two evaluations of the rule, so that no change falls between two.
_CHANGE = "5m"
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def frame(
    uid: str,
    title: str,
    description: str,
    tags: Sequence[str],
    rows: Sequence[Row],
    *,
    links: Sequence[models.DashboardLink],
    variables: Sequence[Builder[models.VariableModel]] = (),
    annotations: Sequence[Builder[models.AnnotationQuery]] = (),
) -> Json:
    """A read-only dashboard.

    Args:
        uid: Grafana's identifier.
        title: Its title.
        description: What it shows.
        tags: Its tags, besides the project's.
        rows: Its panels.
        links: The links above its panels.
        variables: What can be selected in it, besides its data source.
        annotations: What is marked in all of its panels.
    """
    found = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([PROJECT, *tags])
        .readonly()
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("utc")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable(DATASOURCE_VARIABLE).label("Data source").type("prometheus")
        )
    )
    for variable in variables:
        found.with_variable(variable)
    for annotation in annotations:
        found.annotation(annotation)
    built = found.build()
    built.links = list(links)
    for control in (*built.links, *(built.annotations.list_val or ())):
        # By default the SDK hides all of them in a menu.
        control.placement = None
    # The builder's own layout supports neither identifiers nor rows that are not full.
    return {**plain(found), "panels": placed(rows)}


def version_variable(labels: Mapping[str, str]) -> dashboard.QueryVariable:
    """The variable to select among a model's versions in the shown time."""
    query = f"label_values({picked(series.REPLICAS_UP, labels)}, version)"
    return (
        dashboard.QueryVariable(VERSION_VARIABLE)
        .label("Version")
        .datasource(DATASOURCE)
        .query(query)
        .definition(query)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_DESC)
    )


def deployments(labels: Labels) -> dashboard.AnnotationQuery:
    """Marks when the stack file's version changed.

    A version is new while it is desired and was not 5 minutes ago, when another one was: a gap in Prometheus' samples
    is not a change.
    """
    wanted = picked(series.DESIRED_VERSION, labels)
    before = f"{wanted} offset {_CHANGE}"
    expression = f"{wanted} unless on (namespace, model, version) {before} and on (namespace, model) {before}"
    return (
        dashboard.AnnotationQuery()
        .name("Deployments")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("blue")
        .expr(expression)
        .step("1m")
        .title_format("{{model}} {{version}}")
        .text_format("The version in the stack file changed.")
        .tag_keys("model,version")
    )


def to_json(found: Json) -> str:
    """The dashboard's file: the same text for the same dashboard.

    A line for each panel, so that a change shows in one line, and no other white space: Pulumi's state stores every
    file twice, and with a hundred models dashboards are most of it.
    """
    fields = [f"{json.dumps(name)}: {_lines(value)}" for name, value in sorted(found.items())]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _lines(value: object) -> str:
    if not isinstance(value, list):
        return _ENCODER.encode(value)
    return "[\n" + ",\n".join(map(_ENCODER.encode, value)) + "\n]"


def models_link() -> models.DashboardLink:
    """The link to the dashboards of models, with the shown time."""
    return models.DashboardLink(
        title="Dashboards of models",
        type_val=models.DashboardLinkType.DASHBOARDS,
        tags=[PROJECT],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
