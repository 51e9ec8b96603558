"""What the Kubernetes plugin's stand-in says when the API server refuses, and which cluster it talks to."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.stand_ins.kubernetes_provider.api import Api, passing, refusal
from sandbox.stand_ins.kubernetes_provider.errors import (
    FieldConflictError,
    NotFoundError,
    ProviderError,
    UnknownKindError,
)
from sandbox.stand_ins.kubernetes_provider.kubeconfig import connection
from sandbox.stand_ins.kubernetes_provider.provider import KubernetesProvider, imported
from sandbox.stand_ins.kubernetes_provider.structs import to_struct

QUOTA = b'{"message":"services \\"b\\" is forbidden: exceeded quota: q"}'
STARTING = b'{"message":"namespaces \\"x\\" is forbidden: not yet ready to handle request"}'


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (503, b"", True),
        (429, b"", True),
        (401, b"", True),
        (403, STARTING, True),
        # A quota or a Pod Security refusal is final: to wait for it hid the reason for a minute.
        (403, QUOTA, False),
        (404, b"", False),
        (422, b"", False),
        (200, b"", False),
    ],
)
def test_only_passing_answers_are_asked_again(status: int, body: bytes, expected: bool) -> None:
    assert passing(status, body) is expected


def test_a_refusal_keeps_the_servers_words() -> None:
    assert str(refusal(403, QUOTA)) == 'services "b" is forbidden: exceeded quota: q'
    assert str(refusal(500, b"no json here")) == "no json here"
    assert str(refusal(502, b"")) == "HTTP 502"
    assert isinstance(refusal(404, b"{}"), NotFoundError)


def test_only_a_conflict_of_managers_is_a_field_conflict() -> None:
    conflict: dict[str, Any] = {
        "message": "conflict with kubectl",
        "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas"}]},
    }
    assert isinstance(refusal(409, json.dumps(conflict).encode()), FieldConflictError)
    conflict["details"] = {"causes": [{"reason": "UnexpectedServerResponse"}]}
    assert not isinstance(refusal(409, json.dumps(conflict).encode()), FieldConflictError)


class FakeApi:
    """Answers an apply with a conflict until it is forced; `live` is what the server holds."""

    def __init__(self, live: dict[str, Any]) -> None:
        self.live = live
        self.forced = False

    def apply(self, manifest: dict[str, Any], *, manager: str, force: bool, dry_run: bool) -> dict[str, Any]:
        if not force:
            raise FieldConflictError('conflict with "kubectl": .spec.replicas')
        self.forced = True
        return manifest

    def read(self, manifest: dict[str, Any]) -> dict[str, Any]:
        return self.live


def deployment(replicas: int, **annotations: str) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "a",
            "namespace": "n",
            "annotations": {"pulumi.com/patchFieldManager": "ml-deployments-x", **annotations},
        },
        "spec": {"replicas": replicas},
    }


def apply(wanted: dict[str, Any], old: dict[str, Any], live: dict[str, Any], **options: Any) -> FakeApi:
    provider, api = KubernetesProvider(), FakeApi(live)
    provider._api, provider._options = api, options  # type: ignore[assignment]
    provider._apply(wanted, old, force=False, dry_run=False)
    return api


def test_drift_that_a_refresh_recorded_is_taken_back() -> None:
    assert apply(deployment(2), deployment(5), deployment(5)).forced


def test_drift_that_nobody_saw_is_a_conflict_that_names_both_managers_and_the_ways_out() -> None:
    with pytest.raises(ProviderError) as caught:
        apply(deployment(3), deployment(2), deployment(5))
    text = str(caught.value)
    for part in ('"ml-deployments-x"', '"kubectl"', ".spec.replicas", "pulumi up --refresh", "patchForce"):
        assert part in text


def test_fields_are_taken_over_where_that_was_asked_for() -> None:
    forced = deployment(3, **{"pulumi.com/patchForce": "true"})
    assert apply(forced, deployment(2), deployment(5)).forced
    assert apply(deployment(3), deployment(2), deployment(5), enablePatchForce=True).forced
    with pytest.raises(ProviderError):
        apply(deployment(3, **{"pulumi.com/patchForce": "false"}), deployment(2), deployment(5))


class RefusingApi(FakeApi):
    """Has an object whose selector cannot be changed."""

    def apply(self, manifest: dict[str, Any], *, manager: str, force: bool, dry_run: bool) -> dict[str, Any]:
        raise ProviderError("spec.selector: field is immutable")


def preview_of_a_create(provider: KubernetesProvider) -> provider_pb2.CreateResponse:
    request = provider_pb2.CreateRequest(
        urn="urn::a", properties=to_struct({"apiVersion": "apps/v1", **deployment(2)}), preview=True
    )
    response: provider_pb2.CreateResponse = KubernetesProvider.Create.__wrapped__(  # type: ignore[attr-defined]
        provider, request, None
    )
    return response


def test_the_preview_of_a_replacement_asks_nothing_of_the_object_that_goes_first() -> None:
    provider = KubernetesProvider()
    provider._api, provider._options = RefusingApi(deployment(2)), {"upsertExistingObjects": True}  # type: ignore[assignment]
    with pytest.raises(ProviderError, match="immutable"):
        preview_of_a_create(provider)
    old = {**deployment(2), "spec": {"selector": {"matchLabels": {"app": "a"}}}}
    new = {**deployment(2), "spec": {"selector": {"matchLabels": {"app": "b"}}}}
    provider.Diff(
        provider_pb2.DiffRequest(urn="urn::a", old_inputs=to_struct(old), news=to_struct(new)), None
    )
    assert preview_of_a_create(provider).properties["kind"] == "Deployment"


def write(path: Path, context: str, server: str, **cluster: str) -> Path:
    path.write_text(
        json.dumps(
            {
                "current-context": context,
                "contexts": [{"name": context, "context": {"cluster": context, "user": "u"}}],
                "clusters": [{"name": context, "cluster": {"server": server, **cluster}}],
            }
        )
    )
    return path


def test_several_kubeconfigs_are_merged_and_missing_ones_passed_over(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "first", "https://127.0.0.1:1")
    two = write(tmp_path / "two", "second", "https://127.0.0.1:2")
    paths = os.pathsep.join([str(tmp_path / "missing"), str(one), str(two)])
    assert connection(paths, None).context == "first"
    assert connection(paths, "second").server == "https://127.0.0.1:2"
    with pytest.raises(ProviderError, match="no context 'third'; it has: first, second"):
        connection(paths, "third")


def test_a_kubeconfig_may_be_content_and_certificates_may_be_embedded(tmp_path: Path) -> None:
    data = base64.b64encode(b"PEM").decode()
    content = write(
        tmp_path / "c", "c", "https://127.0.0.1:1", **{"certificate-authority-data": data}
    ).read_text()
    assert connection(content, None).authority == "PEM"


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "c", "c", "https://127.0.0.1:1", **{"certificate-authority": "ca.pem"})
    with pytest.raises(ProviderError, match=r"cannot read .*ca\.pem"):
        connection(str(path), None)


def test_a_cluster_that_does_not_answer_is_named_with_its_context(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sandbox.stand_ins.kubernetes_provider.api.FIRST_ANSWER_SECONDS", 0.0)
    found = connection(str(write(tmp_path / "c", "ctx", "http://127.0.0.1:1")), None)
    with pytest.raises(
        ProviderError, match=r"cannot reach the cluster at http://127.0.0.1:1 \(context ctx\)"
    ):
        Api(found).require_sandbox()


def test_a_kind_that_the_cluster_does_not_serve_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    api = Api(connection(str(write(tmp_path / "c", "ctx", "http://127.0.0.1:1")), None))
    monkeypatch.setattr(api, "_discover", lambda root: {})
    manifest = {"apiVersion": "a.io/v1", "kind": "Rule", "metadata": {"name": "x"}}
    with pytest.raises(UnknownKindError, match=r'no matches for kind "Rule" in version "a\.io/v1"'):
        api.path(manifest)
    # What cannot exist is deleted already.
    assert api.delete(manifest) is None


@pytest.mark.parametrize(
    ("type_", "identifier", "version", "metadata"),
    [
        ("kubernetes:apps/v1:Deployment", "n/a", "apps/v1", {"name": "a", "namespace": "n"}),
        ("x:index:Model$kubernetes:core/v1:Namespace", "n", "v1", {"name": "n"}),
    ],
)
def test_an_import_is_named_by_its_type_and_identifier(
    type_: str, identifier: str, version: str, metadata: dict[str, str]
) -> None:
    found = imported(f"urn:pulumi:stack::project::{type_}::name", identifier)
    assert (found["apiVersion"], found["metadata"]) == (version, metadata)
