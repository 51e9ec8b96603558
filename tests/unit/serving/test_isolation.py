"""Each namespace that a stage owns denies all traffic, and its own pods still reach what they need."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.rendering.render import manifests
from sandbox.harness.registrations import record
from tests.support.monitoring_stacks import of_kind
from tests.support.projects import CHECKOUT, GOOD_STACK, MODEL, named, project
from tests.support.rich_stages import RICH_STAGES, STAGE

Manifest = dict[str, Any]
DENY_ALL = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
NAME, PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of"


@pytest.fixture(scope="module", params=RICH_STAGES)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    folder = tmp_path_factory.mktemp("rich") / request.param
    RICH_STAGES[request.param].write(folder)
    shutil.copy(CHECKOUT / "__main__.py", folder)
    return manifests(folder, STAGE)


def test_every_owned_namespace_denies_what_nothing_allows(rendered: list[Manifest]) -> None:
    owned = {m["metadata"]["name"] for m in of_kind(rendered, "Namespace")}
    closed = [m["metadata"]["namespace"] for m in of_kind(rendered, "NetworkPolicy") if m["spec"] == DENY_ALL]
    assert owned
    assert sorted(closed) == sorted(owned)


def pods(rendered: list[Manifest]) -> Iterator[tuple[str, dict[str, str]]]:
    """The namespace and the labels of the pods that the stage runs."""
    for manifest in rendered:
        namespace, spec = manifest["metadata"].get("namespace", ""), manifest.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None:
            yield namespace, template["metadata"]["labels"]
        elif manifest["kind"] in {"Prometheus", "Alertmanager"}:
            # prometheus-operator adds these two: https://prometheus-operator.dev/docs/api-reference/api/
            name = manifest["metadata"]["name"]
            yield namespace, {NAME: name, "app.kubernetes.io/instance": name, **spec["podMetadata"]["labels"]}


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def policies(rendered: list[Manifest], namespace: str, labels: dict[str, str]) -> list[Manifest]:
    """The specs of the policies of a pod, without the one that denies."""
    return [
        m["spec"]
        for m in of_kind(rendered, "NetworkPolicy")
        if m["metadata"]["namespace"] == namespace
        and m["spec"] != DENY_ALL
        and selects(m["spec"]["podSelector"], labels)
    ]


def test_every_pod_has_a_policy_of_its_own(rendered: list[Manifest]) -> None:
    for namespace, labels in pods(rendered):
        (spec,) = policies(rendered, namespace, labels)
        assert {"ingress", "egress"} <= spec.keys(), labels


def _meets(peer: Manifest, here: str, namespace: str, labels: dict[str, str]) -> bool:
    """Whether a peer of a policy in the namespace `here` selects a pod."""
    if "ipBlock" in peer:
        return False
    where = peer.get("namespaceSelector")
    there = {"kubernetes.io/metadata.name": namespace}
    in_place = namespace == here if where is None else selects(where, there)
    return in_place and selects(peer.get("podSelector", {}), labels)


def _ports(rule: Manifest) -> set[tuple[str, int]] | None:
    return {(p["protocol"], p["port"]) for p in rule["ports"]} if "ports" in rule else None


def test_what_one_pod_of_the_stage_may_be_asked_another_may_ask(rendered: list[Manifest]) -> None:
    """Both ends of a connection need a rule; a missing one would be found only when a request is lost."""
    found = list(pods(rendered))
    for namespace, labels in found:
        for rule in (r for spec in policies(rendered, namespace, labels) for r in spec["ingress"]):
            clients = [
                (where, client)
                for where, client in found
                if any(_meets(peer, namespace, where, client) for peer in rule.get("from", []))
                # Only Prometheus scrapes: its whole namespace is let in.
                and (where == namespace or client[NAME] == "prometheus")
            ]
            for where, client in clients:
                outgoing = [
                    _ports(r)
                    for spec in policies(rendered, where, client)
                    for r in spec["egress"]
                    if not r.get("to") or any(_meets(peer, where, namespace, labels) for peer in r["to"])
                ]
                wanted = _ports(rule)
                assert any(o is None or (wanted is not None and wanted <= o) for o in outgoing), (
                    client,
                    labels,
                )


def test_the_policies_exist_before_the_one_that_denies(tmp_path: Path) -> None:
    registered = record(project(tmp_path, GOOD_STACK), "test")
    (deny,) = [r for r in registered if r.name == "default-deny.ml-deployments"]
    waited = {dependency.rpartition("::")[2] for dependency in deny.dependencies}
    assert {"ml-test", "a"} <= waited


def test_a_model_that_opts_out_is_open_in_both_directions(tmp_path: Path) -> None:
    found = named(project(tmp_path, a=MODEL + "network: {enabled: false}\n"))
    spec = found["NetworkPolicy a"]["spec"]
    assert (spec["ingress"], spec["egress"]) == ([{}], [{}])
