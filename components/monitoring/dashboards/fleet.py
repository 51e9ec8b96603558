"""The dashboard of a stage, with all its models. Pure functions."""

from functools import reduce

from components.monitoring import links, series
from components.monitoring.dashboards.frame import deployments, frame, models_link
from components.monitoring.dashboards.grafana_sdk import Json, models, units
from components.monitoring.dashboards.objective_panels import budget_colors
from components.monitoring.dashboards.panels import (
    DATASOURCE_VARIABLE,
    About,
    Query,
    Row,
    bars,
    rows_of,
    spread,
    thresholds,
    time_series,
)
from components.monitoring.series import Labels, picked
from components.monitoring.slo import PERIOD_DAYS, Objective
from components.settings.stack import StackSettings

# The columns of the table, by the fields of its queries.
_COLUMNS = {
    "model": "Model",
    "serving": "Version serving",
    "desired": "Version wanted",
    "Value #A": "Replicas up",
    "Value #C": "Requests",
    "Value #D": "Errors",
    "Value #E": "Availability budget left",
}
_UID = "uid"


def fleet_dashboard(stack: StackSettings) -> Json:
    """The dashboard of a stage."""
    namespace: Labels = {"namespace": stack.serving_namespaces}
    return frame(
        links.dashboard_uid(stack.stage),
        f"Models in {stack.stage}",
        f"All models of the stage {stack.stage}.",
        [stack.stage],
        [
            Row(title="Models", panels=[_table(stack)]),
            Row(title="Traffic", panels=spread([_requests(namespace), _errors(namespace)])),
            Row(title="Objectives and alerts", panels=spread([_budgets(namespace), _alerts(stack)])),
        ],
        links=[models_link()],
        annotations=[deployments(namespace)],
    )


def _table(stack: StackSettings) -> Json:
    namespace: Labels = {"namespace": stack.serving_namespaces}
    up = f"{picked(series.REPLICAS_UP, namespace)} > 0"
    budget = picked(series.SLO_BUDGET_REMAINING, {**namespace, "slo": Objective.AVAILABILITY.value})
    queries = [
        Query(expr=f"sum by (model, serving) ({_renamed(up, 'serving')})"),
        Query(expr=_desired(stack)),
        Query(expr=_request_rate(namespace)),
        Query(expr=_error_ratio(namespace)),
        Query(expr=f"max by (model) ({budget})"),
    ]
    transformations = [
        models.DataTransformerConfig(id_val="merge", options={}),
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True, "Value #B": True},
                "indexByName": {name: index for index, name in enumerate([*_COLUMNS, _UID])},
                "renameByName": _COLUMNS,
            },
        ),
    ]
    address = f"/d/${{__data.fields.{_UID}}}?${{__url_time_range}}&${{{DATASOURCE_VARIABLE}:queryparam}}"
    columns: dict[str, dict[str, object]] = {
        "Model": {"links": [{"title": "Open the model's dashboard", "url": address}]},
        "Requests": {"unit": units.RequestsPerSecond},
        "Errors": {"unit": units.PercentUnit},
        "Availability budget left": {
            "unit": units.PercentUnit,
            "thresholds": thresholds(budget_colors()).build(),
            "custom.cellOptions": {"type": "color-text"},
        },
        _UID: {"custom.hidden": True},
    }
    about = About(
        title="Models",
        description=(
            "The models of the stage now; errors are the fraction of failed requests over 5 minutes. A model has a "
            "line for each version that it serves."
        ),
    )
    return rows_of(about, queries, transformations, columns)


def _desired(stack: StackSettings) -> str:
    """The desired versions, with the identifier of each model's dashboard for the link to it.

    PromQL can compose a short identifier; that of a long name contains a hash, which only this program knows.
    """
    wanted = _renamed(picked(series.DESIRED_VERSION, {"namespace": stack.serving_namespaces}), "desired")
    short = links.dashboard_uid(stack.stage, "$1")
    identified = f'label_replace({wanted}, "{_UID}", "{short}", "model", "(.*)")'
    long = {
        model.name: uid
        for model in stack.models
        if (uid := links.dashboard_uid(stack.stage, model.name)) != short.replace("$1", model.name)
    }
    identified = reduce(
        lambda inner, name: f'label_replace({inner}, "{_UID}", "{long[name]}", "model", "{name}")',
        sorted(long),
        identified,
    )
    return f"max by (model, desired, {_UID}) ({identified})"


def _requests(namespace: Labels) -> Json:
    return time_series(
        About(
            title="Requests by model",
            description="Requests a second, averaged over 5 minutes.",
            unit=units.RequestsPerSecond,
        ),
        Query(expr=_request_rate(namespace), legend="{{model}}"),
    )


def _errors(namespace: Labels) -> Json:
    return time_series(
        About(
            title="Errors by model",
            description="The fraction of requests that failed in the servers, over 5 minutes.",
            unit=units.PercentUnit,
        ),
        Query(expr=_error_ratio(namespace), legend="{{model}}"),
    )


def _budgets(namespace: Labels) -> Json:
    return bars(
        About(
            title="Error budgets left",
            description=f"The fraction of each objective's error budget of {PERIOD_DAYS} days that is left.",
            unit=units.PercentUnit,
        ),
        Query(
            expr=f"max by (model, slo) ({picked(series.SLO_BUDGET_REMAINING, namespace)})",
            legend="{{model}} {{slo}}",
        ),
        budget_colors(),
    )


def _alerts(stack: StackSettings) -> Json:
    firing = picked("ALERTS", {"alertstate": "firing", "stage": stack.stage})
    return time_series(
        About(title="Alerts firing", description="How many alerts of each model fire, by severity."),
        Query(expr=f"count by (model, severity) ({firing})", legend="{{model}} ({{severity}})"),
        stacked=True,
    )


def _request_rate(namespace: Labels) -> str:
    return f"sum by (model) ({picked(series.REQUESTS, namespace)})"


def _error_ratio(namespace: Labels) -> str:
    return f"sum by (model) ({picked(series.ERRORS, namespace)})\n/\n({_request_rate(namespace)} > 0)"


def _renamed(expression: str, label: str) -> str:
    """The version under another label: the table has two columns of versions."""
    return f'label_replace({expression}, "{label}", "$1", "version", "(.*)")'
