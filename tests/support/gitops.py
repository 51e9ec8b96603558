"""Reads the objects in gitops/, and what the accounts among them may not do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from delivery.gitops.scope import group
from tests.support.projects import CHECKOUT

_PLURALS = {"NetworkPolicy": "networkpolicies", "Prometheus": "prometheuses"}
_ROLES = {"Role", "ClusterRole"}
# The verbs of a controller on the objects that it keeps as declared.
_KEPT_BY = {"create", "update", "patch", "delete"}


def use_gitops(folder: Path) -> None:
    """Give a project with the one stage `test` the settings of this checkout."""
    (folder / "gitops").mkdir()
    text = (CHECKOUT / "gitops" / "settings.yaml").read_text()
    (folder / "gitops" / "settings.yaml").write_text(text.replace("[staging, production]", "[test]"))


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a file."""
    return list(yaml.safe_load_all(text))


def one(text: str, kind: str) -> dict[str, Any]:
    """The only object of a kind in a file."""
    return the_only(objects(text), kind)


def the_only(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The only object of a kind."""
    (wanted,) = (item for item in found if item["kind"] == kind)
    return wanted


def resource(manifest: dict[str, Any]) -> tuple[str, str]:
    """Group and plural of an object's kind, as a role names them."""
    return group(manifest), _PLURALS.get(manifest["kind"], f"{manifest['kind'].lower()}s")


def forbidden(account: list[dict[str, Any]], rendered: list[dict[str, Any]]) -> list[str]:
    """What the account among a controller's objects may not apply, or may not grant."""
    return [
        *(what for manifest in rendered for what in _may_not_write(account, manifest)),
        *(what for role in rendered if role["kind"] in _ROLES for what in _may_not_grant(account, role)),
    ]


def rules(account: list[dict[str, Any]], namespace: str | None) -> list[dict[str, Any]]:
    """The rules of an account in a namespace, or in the whole cluster for None."""
    roles = (item for item in account if item["kind"] in _ROLES)
    return [
        rule for role in roles if role["metadata"].get("namespace") == namespace for rule in role["rules"]
    ]


def _may_not_write(account: list[dict[str, Any]], manifest: dict[str, Any]) -> Iterator[str]:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace")
    wanted_group, wanted = resource(manifest)
    held = {
        verb
        for rule in rules(account, namespace)
        if wanted_group in rule["apiGroups"]
        and wanted in rule["resources"]
        and name in rule.get("resourceNames", [name])
        for verb in rule["verbs"]
    }
    yield from (f"{verb} {wanted} {name}" for verb in sorted(_KEPT_BY - held))


def _may_not_grant(account: list[dict[str, Any]], role: dict[str, Any]) -> Iterator[str]:
    held = rules(account, role["metadata"].get("namespace"))
    yield from (f"grant {rule}" for rule in role["rules"] if rule not in held)
