"""Checks the monitoring generated from the files: queries parse, runbooks exist, nothing is silently left out."""

import json
from collections.abc import Iterator
from pathlib import Path

import promql_parser

from components.dashboards import dashboard_files
from components.errors import Problem
from components.feature_store.rules import feature_rule_groups
from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.coverage import left_out
from components.monitoring.links import RUNBOOKS
from components.monitoring.model_rules import rule_groups
from components.monitoring.recording_rules import Rule
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


def monitoring_problems(project: Path, stack: StackSettings) -> list[Problem]:
    """Queries of rules and dashboards that do not parse, and alerts without a runbook."""
    found: list[Problem] = []
    for staged in (StagedModel(model, stack) for model in stack.models):
        for rule in model_rules(staged):
            name = rule.get("alert") or rule.get("record", "")
            found += _unparsable(rule["expr"], f"{name} of {staged.name}", stack)
            found += _without_runbook(rule, project)
    for rule in feature_rules(stack):
        name = rule.get("alert") or rule.get("record", "")
        found += _unparsable(rule["expr"], f"{name} of the feature store", stack)
        found += _without_runbook(rule, project)
    if stack.monitoring.delivery is not MonitoringDelivery.NONE:
        for title, query in dashboard_queries(stack):
            found += _unparsable(query, title, stack)
    return found


def dashboard_queries(stack: StackSettings) -> Iterator[tuple[str, str]]:
    """Every query of a stage's dashboards as Grafana would send it, with the titles of dashboard and panel."""
    for file in dashboard_files(stack):
        dashboard = json.loads(file.text)
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                query = target["expr"].replace("$__rate_interval", "1m").replace("$version", ".+")
                yield f"the panel {panel['title']} of {dashboard['title']}", query


def model_rules(staged: StagedModel) -> list[Rule]:
    """Every rule of a model; none where nothing is watched."""
    if staged.stack.monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [rule for group in rule_groups(staged) for rule in group["rules"]]


def feature_rules(stack: StackSettings) -> list[Rule]:
    """Every rule of the stage's feature store; none where there is none or nothing is watched."""
    if stack.feature_store is None or stack.monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [rule for group in feature_rule_groups(stack.feature_store, stack) for rule in group["rules"]]


def coverage_notes(stack: StackSettings) -> list[str]:
    """One line for each alert that a model's runtime does not support, or that is changed and does not exist."""
    if stack.monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [
        f"{stack.stage}: {model.name} has no {missing.alert.value}: {missing.reason}"
        for model in stack.models
        for missing in left_out(StagedModel(model, stack))
        if missing.by_runtime or (missing.alert in model.alerts and model.alerts[missing.alert].enabled)
    ]


def _unparsable(query: str, what: str, stack: StackSettings) -> Iterator[Problem]:
    try:
        promql_parser.parse(query)
    except ValueError as error:
        yield Problem(
            file=f"Pulumi.{stack.stage}.yaml",
            reason=f"the query of {what} does not parse: {error}",
            fix="correct the metric and label names in the model's file, or report this as a bug",
        )


def _without_runbook(rule: Rule, project: Path) -> Iterator[Problem]:
    page = f"{RUNBOOKS}/{rule.get('alert')}.md"
    if "alert" in rule and (project / RUNBOOKS).is_dir() and not (project / page).is_file():
        yield Problem(file=page, reason=f"{rule['alert']} has no runbook", fix="write the page")
