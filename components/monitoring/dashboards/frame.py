"""What every dashboard has around its panels: variables, deployments, links, times. Pure functions."""

import json
from collections.abc import Mapping, Sequence

from components.monitoring import series
from components.monitoring.dashboards.grafana_sdk import JSONEncoder, dashboard, models
from components.monitoring.dashboards.panels import DATASOURCE, DATASOURCE_VARIABLE, Row, placed
from components.monitoring.series import picked
from components.settings.stack import PROJECT

VERSION_VARIABLE = "version"
# Long enough for two evaluations of the rule, so that no change falls between two.
_CHANGE = "5m"


def frame(
    uid: str, title: str, description: str, tags: Sequence[str], rows: Sequence[Row]
) -> dashboard.Dashboard:
    """A dashboard that nobody edits by hand, with the variable of its data source."""
    panels = placed(rows)
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
    # The builder's own way of placing panels knows neither identifiers nor lines that are not full.
    found.build().panels = panels
    return found


def version_variable(labels: Mapping[str, str]) -> dashboard.QueryVariable:
    """The choice among the versions of a model that were there in the shown time."""
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


def deployments(labels: Mapping[str, str]) -> dashboard.AnnotationQuery:
    """Marks when the stack file's version changed.

    A version is new while it is wanted and was not 5 minutes ago, when another one was: a gap in Prometheus' samples is
    no change.
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


def linked(found: models.Dashboard, links: Sequence[models.DashboardLink]) -> models.Dashboard:
    """The dashboard with links above its panels, beside the switches of its annotations."""
    found.links = list(links)
    for control in (*found.links, *(found.annotations.list_val or ())):
        # Left alone, the SDK hides all of them in a menu.
        control.placement = None
    return found


def to_json(found: models.Dashboard) -> str:
    """The dashboard's file: the same text for the same dashboard.

    A line for each panel, so that a change shows in one line, and no more white space: Pulumi's state keeps every file
    twice, and with a hundred models it is most of it.
    """
    encoder = JSONEncoder(sort_keys=True, separators=(",", ":"))
    fields = [
        f"{json.dumps(name)}: {_lines(value, encoder)}" for name, value in sorted(found.to_json().items())
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _lines(value: object, encoder: JSONEncoder) -> str:
    if not isinstance(value, list):
        return encoder.encode(value)
    return "[\n" + ",\n".join(encoder.encode(item) for item in value) + "\n]"


def models_link() -> models.DashboardLink:
    """The link to the dashboards of models, with the time that is shown."""
    return models.DashboardLink(
        title="Dashboards of models",
        type_val=models.DashboardLinkType.DASHBOARDS,
        tags=[PROJECT],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
