"""What the Kubernetes plugin's stand-in calls a change, a replacement and drift."""

import base64
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.stand_ins.kubernetes_provider.changes import drifted, needs_replacement
from sandbox.stand_ins.kubernetes_provider.provider import KubernetesProvider
from sandbox.stand_ins.kubernetes_provider.structs import UNKNOWN, has_unknown, to_struct


def diff(old: dict[str, Any], new: dict[str, Any]) -> provider_pb2.DiffResponse:
    request = provider_pb2.DiffRequest(old_inputs=to_struct(old), news=to_struct(new))
    response: provider_pb2.DiffResponse = KubernetesProvider().Diff(request, None)
    return response


def deployment(image: str, app: str = "a") -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": app}},
            "template": {"spec": {"containers": [{"image": image}]}},
        },
    }


def test_a_version_bump_is_one_update_in_place() -> None:
    found = diff(deployment("x:1"), deployment("x:2"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(found.detailedDiff) == ["spec.template.spec.containers[0].image"]
    assert list(found.replaces) == []
    assert not found.deleteBeforeReplace


def test_the_same_inputs_are_no_change() -> None:
    assert diff(deployment("x:1"), deployment("x:1")).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_another_selector_replaces_and_deletes_first() -> None:
    found = diff(deployment("x:1"), deployment("x:1", app="b"))
    assert list(found.replaces) == ["spec.selector.matchLabels.app"]
    assert found.deleteBeforeReplace


@pytest.mark.parametrize(("immutable", "replaces"), [(True, ["data.a"]), (False, [])])
def test_data_replaces_only_an_immutable_object(immutable: bool, replaces: list[str]) -> None:
    def config(value: str) -> dict[str, Any]:
        return {"kind": "ConfigMap", "metadata": {"name": "c"}, "immutable": immutable, "data": {"a": value}}

    assert list(diff(config("1"), config("2")).replaces) == replaces


def test_immutable_fields_of_other_kinds() -> None:
    assert needs_replacement("RoleBinding", "roleRef.name")
    assert needs_replacement("Secret", "type")
    assert not needs_replacement("RoleBinding", "subjects[0].name")


def secret(**data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": "s", "uid": "1"}, "data": encoded, "type": "Opaque"}


def test_a_secrets_plain_text_is_compared_with_the_data_it_became() -> None:
    wanted = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "1", "b": "2"}}
    assert drifted(wanted, secret(a="1", b="2", other="x")) == wanted
    assert drifted(wanted, secret(a="1", b="changed"))["stringData"] == {"a": "1", "b": "changed"}
    assert drifted(wanted, secret(a="1"))["stringData"] == {"a": "1"}


def test_values_a_preview_does_not_know_are_found_wherever_they_are() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": "x", "c": None, "d": 1}]})
