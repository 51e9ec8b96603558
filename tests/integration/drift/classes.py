"""The classes of drift in docs/drift.md."""

import re

from tests.integration.drift.case import DriftCase

Command = tuple[str, ...]
IN = "--namespace={namespace}"
_POD = "spec.template.spec"
_SERVER = f"{_POD}.containers[name=server]"
_GUEST = (
    '{"name": "guest", "image": "registry.example.com/guest:1", "securityContext": '
    '{"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}'
)
_FIRST_GUEST = _GUEST.replace('"guest"', '"first-guest"')


def _field(
    name: str, drift: str, field: str, cause: Command, *, kind: str = "Deployment", shows: str = ""
) -> DriftCase:
    """Drift of one field of one of the model's objects; `shows` is the path to read, by default the field's own."""
    path = shows or re.sub(r"\[name=(\w+)\]", r'[?(@.name=="\1")]', field)
    looks = ("get", kind.lower(), "{model}", IN, "--output=jsonpath={." + path + "}")
    return DriftCase(name=name, causes=(cause,), looks=looks, kind=kind, drift=drift, field=field)


def _patch(kind: str, patch: str, form: str = "strategic") -> Command:
    return "patch", kind, "{model}", IN, f"--type={form}", f"--patch={patch}"


def _in_pod(patch: str) -> Command:
    return _patch("deployment", '{"spec": {"template": {"spec": ' + patch + "}}}")


def _in_server(patch: str) -> Command:
    return _in_pod('{"containers": [{"name": "server", ' + patch + "}]}")


def _exists(kind: str, name: str = "{model}") -> Command:
    return "get", kind, name, IN, "--ignore-not-found", "--output=name"


def _deleted(kind: str) -> DriftCase:
    """One of the model's objects, deleted."""
    resource = kind.lower()
    return DriftCase(
        name=f"{kind} deleted",
        causes=(("delete", resource, "{model}", IN),),
        looks=_exists(resource),
        kind=kind,
        drift="deleted",
    )


CHANGED = (
    _field(
        "replicas scaled",
        "changed",
        "spec.replicas",
        ("scale", "deployment", "{model}", IN, "--replicas=1"),
    ),
    _field(
        "image changed",
        "changed",
        f"{_SERVER}.image",
        ("set", "image", "deployment/{model}", IN, "server=registry.example.com/other:1"),
    ),
    _field(
        "resource limit changed",
        "changed",
        f"{_SERVER}.resources.limits.memory",
        ("set", "resources", "deployment/{model}", IN, "--containers=server", "--limits=memory=9Gi"),
    ),
    _field(
        "environment variable changed",
        "changed",
        f"{_SERVER}.env[name=MODEL_VERSION].value",
        ("set", "env", "deployment/{model}", IN, "MODEL_VERSION=v9"),
    ),
    _field(
        "pod security loosened",
        "changed",
        f"{_SERVER}.securityContext.readOnlyRootFilesystem",
        _in_server('"securityContext": {"readOnlyRootFilesystem": false}'),
    ),
    _field(
        "label changed",
        "changed",
        "metadata.labels.ml-deployments/owner",
        ("label", "service", "{model}", IN, "--overwrite", "ml-deployments/owner=nobody"),
        kind="Service",
    ),
    DriftCase(
        name="data of a ConfigMap changed",
        causes=(
            (
                "patch",
                "configmap",
                "{model}-rules",
                IN,
                "--type=merge",
                '--patch={"data": {"{stage}-{model}.rules.yaml": ""}}',
            ),
        ),
        looks=("get", "configmap", "{model}-rules", IN, "--output=jsonpath={.data}"),
        kind="ConfigMap",
        drift="changed",
        field="data.{stage}-{model}.rules.yaml",
    ),
)

REMOVED = (
    _field(
        "environment variable removed",
        "removed",
        f"{_SERVER}.env[name=MODEL_NAME]",
        ("set", "env", "deployment/{model}", IN, "MODEL_NAME-"),
    ),
    _field(
        "probe removed",
        "removed",
        f"{_SERVER}.livenessProbe",
        _in_server('"livenessProbe": null'),
    ),
    DriftCase(
        name="label removed",
        causes=(("label", "namespace", "{namespace}", "pod-security.kubernetes.io/enforce-"),),
        looks=("get", "namespace", "{namespace}", "--output=jsonpath={.metadata.labels}"),
        kind="Namespace",
        drift="removed",
        field="metadata.labels.pod-security.kubernetes.io/enforce",
    ),
)

ADDED = (
    _field(
        "environment variable added",
        "added",
        f"{_SERVER}.env[name=GUEST]",
        ("set", "env", "deployment/{model}", IN, "GUEST=1"),
    ),
    _field(
        "container added",
        "added",
        f"{_POD}.containers[name=guest]",
        _in_pod('{"containers": [' + _GUEST + "]}"),
        shows=f"{_POD}.containers[*].name",
    ),
    _field(
        "init container added",
        "added",
        f"{_POD}.initContainers[name=first-guest]",
        _in_pod('{"initContainers": [' + _FIRST_GUEST + "]}"),
        shows=f"{_POD}.initContainers[*].name",
    ),
    _field(
        "volume added",
        "added",
        f"{_POD}.volumes[name=guest]",
        _in_pod('{"volumes": [{"name": "guest", "emptyDir": {}}]}'),
        shows=f"{_POD}.volumes[*].name",
    ),
    _field(
        "toleration added",
        "added",
        f"{_POD}.tolerations",
        _in_pod('{"tolerations": [{"key": "guest", "operator": "Exists"}]}'),
    ),
    _field(
        "default overridden",
        "added",
        f"{_POD}.dnsPolicy",
        _in_pod('{"dnsPolicy": "Default"}'),
    ),
    _field(
        "rollout restarted",
        "added",
        "spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
        ("rollout", "restart", "deployment/{model}", IN),
        shows="spec.template.metadata.annotations",
    ),
    _field(
        "label added",
        "added",
        "metadata.labels.guest",
        ("label", "deployment", "{model}", IN, "guest=yes"),
    ),
    _field(
        "annotation added",
        "added",
        "metadata.annotations.guest",
        ("annotate", "serviceaccount", "{model}", IN, "guest=yes"),
        kind="ServiceAccount",
    ),
    _field(
        "port added to a Service",
        "added",
        "spec.ports[port=9999,protocol=TCP]",
        _patch("service", '{"spec": {"ports": [{"name": "guest", "port": 9999, "protocol": "TCP"}]}}'),
        kind="Service",
        shows="spec.ports[*].port",
    ),
    _field(
        "rule added to a NetworkPolicy",
        "added",
        "spec.ingress[1]",
        _patch("networkpolicy", '[{"op": "add", "path": "/spec/ingress/-", "value": {}}]', "json"),
        kind="NetworkPolicy",
        shows="spec.ingress",
    ),
)

OBJECTS = (
    *map(_deleted, ("Deployment", "Service", "NetworkPolicy")),
    DriftCase(
        name="labelled object extra",
        causes=(
            ("create", "configmap", "{model}-orphan", IN, "--from-literal=key=value"),
            ("label", "configmap", "{model}-orphan", IN, "ml-deployments/stage={stage}"),
        ),
        looks=_exists("configmap", "{model}-orphan"),
        kind="ConfigMap",
        drift="extra",
    ),
    DriftCase(
        name="object made by hand",
        causes=(("create", "configmap", "by-hand", IN),),
        looks=_exists("configmap", "by-hand"),
        kind="ConfigMap",
        drift="extra",
        healable=False,
    ),
)

NAMESPACE_DELETED = DriftCase(
    name="namespace deleted",
    causes=(("delete", "namespace", "{namespace}"),),
    looks=_exists("deployment"),
    kind="Namespace",
    drift="deleted",
)

FIELDS = (*CHANGED, *REMOVED, *ADDED)
SMALL = (*FIELDS, *OBJECTS)
"""Every class that does not affect the rest of the stage."""
