"""A stage with its own monitoring stack, for tests, and ways to select from its manifests."""

from pathlib import Path
from typing import Any

from delivery.rendering.render import manifests
from tests.support.projects import GOOD_STACK, project

Manifest = dict[str, Any]
STAGE_LABEL = "ml-deployments/stage"
INSTALLED = "  ml-deployments:monitoring: {namespace: watch, delivery: operator, stack: {install: true}}\n"
RECEIVERS = """\
  ml-deployments:monitoring:
    namespace: watch
    delivery: operator
    stack:
      install: true
      receivers:
        - {webhookUrl: "https://hooks.example.com/all"}
        - {severity: page, webhookUrl: "https://hooks.example.com/page"}
        - {owner: team-a, webhookUrlSecret: {name: hooks, key: team-a}}
        - {owner: team-a, severity: page, webhookUrl: "https://hooks.example.com/team-a-page"}
"""


def stack_of(folder: Path, text: str = INSTALLED) -> list[Manifest]:
    """The manifests of a stage with one model and this text at the end of its stack file."""
    return manifests(project(folder, GOOD_STACK + text), "test")


def of_kind(found: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in found if manifest["kind"] == kind]


def one(found: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    (manifest,) = [m for m in of_kind(found, kind) if name in {None, m["metadata"]["name"]}]
    return manifest
