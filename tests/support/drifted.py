"""One object as its manifest and as the cluster has it, for tests of drift."""

from typing import Any

from delivery.drift.comparing import Drift, DriftClass
from delivery.drift.fields import Key, Path
from delivery.identity import identity

OWN = "ml-deployments-test"
NOON = "2026-01-01T12:00:00Z"
CONTAINERS: Path = ("spec", "template", "spec", "containers")
SERVER: Path = (*CONTAINERS, Key((("name", "server"),)))
Object = dict[str, Any]


def manifest() -> Object:
    server = {
        "name": "server",
        "image": "a:1",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m", "namespace": "ml", "labels": {"team": "a"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [server]}}},
    }


def managed(manager: str, fields: Object, **more: str) -> Object:
    return {"manager": manager, "operation": "Update", "time": NOON, "fieldsV1": fields, **more}


def item(name: str, *fields: str) -> Object:
    return {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, **{f"f:{field}": {} for field in fields}}}


def in_server(fields: Object) -> Object:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': fields}}}}}


def ours() -> Object:
    env = {"f:env": {**item("A", "value"), **item("B", "value")}}
    fields = in_server({".": {}, "f:name": {}, "f:image": {}, **env})
    fields["f:metadata"] = {"f:labels": {"f:team": {}}}
    fields["f:spec"]["f:replicas"] = {}
    return managed(OWN, fields, operation="Apply")


def deployed(*others: Object) -> Object:
    """The manifest in the cluster, with what the server adds, and other managers' entries."""
    found = manifest()
    found["metadata"] |= {"uid": "1", "resourceVersion": "7", "managedFields": [ours(), *others]}
    found["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    found["status"] = {"replicas": 2}
    return found


def server(found: Object) -> Object:
    container: Object = found["spec"]["template"]["spec"]["containers"][0]
    return container


def change(path: Path = ("spec", "replicas"), manager: str = "kubectl") -> Drift:
    return Drift(
        object=identity(manifest()), kind=DriftClass.CHANGED, path=path, declared=2, live=1, manager=manager
    )


def config_map(name: str, *managers: str, **metadata: object) -> Object:
    fields = [managed(manager, {"f:data": {}}) for manager in managers]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "ml", "managedFields": fields, **metadata},
    }
