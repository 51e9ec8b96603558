"""What an autoscaler, a mesh or a platform owns is known as theirs, reported, and kept by a heal."""

import copy

import pytest

from delivery.drift.comparing import Drift, DriftClass, compare
from delivery.drift.healing import keeping
from delivery.drift.owners import scaled
from delivery.drift.report import entry, remedies, row
from delivery.identity import identity
from tests.support.drifted import OWN, Object, deployed, managed, manifest


def replicas_of(manager: str, **more: str) -> Drift:
    live = deployed(managed(manager, {"f:spec": {"f:replicas": {}}}, **more))
    live["spec"]["replicas"] = 4
    del live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:replicas"]
    (drift,) = compare(manifest(), live, deployed(), {OWN})
    assert (drift.kind, drift.field) == (DriftClass.CHANGED, "spec.replicas")
    return drift


@pytest.mark.parametrize(
    ("manager", "subresource", "owner"),
    [
        ("kube-controller-manager", "scale", "a HorizontalPodAutoscaler"),
        ("keda-operator", "scale", "KEDA"),
        ("vpa-updater", "", "the VerticalPodAutoscaler"),
        ("kubectl", "scale", ""),
        ("kubectl-edit", "", ""),
    ],
)
def test_a_field_names_the_controller_that_wrote_it(manager: str, subresource: str, owner: str) -> None:
    drift = replicas_of(manager, subresource=subresource)
    assert (drift.owner, entry(drift)["owner"]) == (owner, owner or None)
    assert (f"({owner})" in row(drift)[-1]) is bool(owner)
    said = "".join(remedies([drift]))
    assert (f"it belongs to {owner}" in said) is bool(owner)


def test_only_what_an_autoscaler_still_scales_is_its_own() -> None:
    autoscaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "any", "namespace": "ml"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "m"}},
    }
    assert scaled([deployed(), autoscaler]) == {identity(manifest())}
    assert scaled([deployed()]) == set()


def test_a_heal_of_another_field_keeps_what_an_autoscaler_wrote() -> None:
    live = deployed()
    live["spec"]["replicas"] = 4
    drift = replicas_of("kube-controller-manager", subresource="scale")
    # Applied without it, the field stays as it is, and the autoscaler's.
    assert "replicas" not in keeping(manifest(), live, [drift])["spec"]


def namespace(kind: str, key: str, manager: str) -> Drift:
    wanted: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ml", "labels": {"team": "a"}},
    }
    live = copy.deepcopy(wanted)
    live["metadata"].setdefault(kind, {})[key] = "x"
    live["metadata"]["managedFields"] = [managed(manager, {"f:metadata": {f"f:{kind}": {f"f:{key}": {}}}})]
    (drift,) = compare(wanted, live, copy.deepcopy(live), {OWN})
    assert (drift.kind, drift.field) == (DriftClass.ADDED, f"metadata.{kind}.{key}")
    return drift


@pytest.mark.parametrize(
    ("kind", "key", "owner"),
    [
        ("annotations", "field.cattle.io/projectId", "Rancher"),
        ("labels", "field.cattle.io/projectId", "Rancher"),
        ("annotations", "openshift.io/sa.scc.uid-range", "OpenShift"),
        ("labels", "security.openshift.io/scc.podSecurityLabelSync", "OpenShift"),
        ("labels", "istio-injection", "Istio"),
        ("labels", "istio.io/dataplane-mode", "Istio"),
        ("annotations", "linkerd.io/inject", "Linkerd"),
        # Under a name that no list has, it is whoever wrote it.
        ("annotations", "platform.example.com/tenant", "tenancy"),
        ("annotations", "notcattle.io/a", "tenancy"),
    ],
)
def test_what_others_put_on_a_namespace_is_theirs(kind: str, key: str, owner: str) -> None:
    assert namespace(kind, key, "tenancy").owner == owner


@pytest.mark.parametrize(
    "key",
    ["pod-security.kubernetes.io/enforce-version", "pod-security.kubernetes.io/audit", "ml-deployments/keep"],
)
def test_what_enforces_the_stage_s_rules_on_a_namespace_is_ours(key: str) -> None:
    assert namespace("labels", key, "tenancy").owner == ""


def test_the_key_of_what_is_added_to_another_object_names_no_owner() -> None:
    live = deployed(managed("kubectl-label", {"f:metadata": {"f:labels": {"f:istio.io/rev": {}}}}))
    live["metadata"]["labels"]["istio.io/rev"] = "x"
    (drift,) = compare(manifest(), live, copy.deepcopy(live), {OWN})
    assert drift.owner == ""
