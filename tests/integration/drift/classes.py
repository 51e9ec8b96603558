"""The classes of drift: what somebody does to a stage with kubectl, and where it shows."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a drift is brought about: a model of a stage. `kubectl` takes arguments and returns what it printed."""

    kubectl: Callable[..., str]
    stage: str
    namespace: str
    model: str

    def fill(self, text: str) -> str:
        """A text with the names of this place."""
        names = {"stage": self.stage, "namespace": self.namespace, "model": self.model}
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def run(self, command: tuple[str, ...]) -> str:
        """Run a kubectl command with the names of this place."""
        return self.kubectl(*(self.fill(word) for word in command))


@dataclass(frozen=True, kw_only=True)
class DriftCase:
    """One class of drift. In every text `{stage}`, `{namespace}` and `{model}` stand for the names of its place.

    Attributes:
        name: What docs/drift.md calls it.
        causes: The kubectl commands that bring it about, word by word.
        looks: The kubectl command that shows it. It prints something else once the drift is there, and what it printed
            before once the drift is healed.
        kind: The kind of the object that drifts.
        drift: What `delivery drift` calls it: changed, removed, added, deleted or extra.
        field: The field `delivery drift` names; empty for a whole object.
        healable: False for what `delivery drift --heal` reports and leaves as it is.
    """

    name: str
    causes: tuple[tuple[str, ...], ...]
    looks: tuple[str, ...]
    kind: str
    drift: str
    field: str = ""
    healable: bool = True

    def cause(self, place: Place) -> None:
        """Bring the drift about."""
        for command in self.causes:
            place.run(command)

    def look(self, place: Place) -> str:
        """What the cluster shows where the drift is."""
        return place.run(self.looks)


IN = "--namespace={namespace}"
_POD = "spec.template.spec"
_SERVER = f"{_POD}.containers[name=server]"
# The same for kubectl.
_NAMED = _POD + '.containers[?(@.name=="server")]'


def _shows(kind: str, path: str) -> tuple[str, ...]:
    return "get", kind, "{model}", IN, "--output=jsonpath={." + path + "}"


def _exists(kind: str, name: str = "{model}", where: str = IN) -> tuple[str, ...]:
    return "get", kind, name, where, "--ignore-not-found", "--output=name"


def _patch(kind: str, patch: str, form: str = "strategic") -> tuple[tuple[str, ...], ...]:
    return (("patch", kind, "{model}", IN, f"--type={form}", f"--patch={patch}"),)


def _in_pod(patch: str) -> tuple[tuple[str, ...], ...]:
    return _patch("deployment", '{"spec": {"template": {"spec": ' + patch + "}}}")


def _in_server(patch: str) -> tuple[tuple[str, ...], ...]:
    return _in_pod('{"containers": [{"name": "server", ' + patch + "}]}")


_GUEST = (
    '{"name": "guest", "image": "registry.example.com/guest:1", "securityContext": '
    '{"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}'
)
_FIRST_GUEST = _GUEST.replace('"guest"', '"first-guest"')

CHANGED = (
    DriftCase(
        name="replicas scaled",
        causes=(("scale", "deployment", "{model}", IN, "--replicas=1"),),
        looks=_shows("deployment", "spec.replicas"),
        kind="Deployment",
        drift="changed",
        field="spec.replicas",
    ),
    DriftCase(
        name="image changed",
        causes=(("set", "image", "deployment/{model}", IN, "server=registry.example.com/other:1"),),
        looks=_shows("deployment", f"{_NAMED}.image"),
        kind="Deployment",
        drift="changed",
        field=f"{_SERVER}.image",
    ),
    DriftCase(
        name="resource limit changed",
        causes=(
            ("set", "resources", "deployment/{model}", IN, "--containers=server", "--limits=memory=9Gi"),
        ),
        looks=_shows("deployment", f"{_NAMED}.resources.limits.memory"),
        kind="Deployment",
        drift="changed",
        field=f"{_SERVER}.resources.limits.memory",
    ),
    DriftCase(
        name="environment variable changed",
        causes=(("set", "env", "deployment/{model}", IN, "MODEL_VERSION=v9"),),
        looks=_shows("deployment", _NAMED + '.env[?(@.name=="MODEL_VERSION")].value'),
        kind="Deployment",
        drift="changed",
        field=f"{_SERVER}.env[name=MODEL_VERSION].value",
    ),
    DriftCase(
        name="pod security loosened",
        causes=_in_server('"securityContext": {"readOnlyRootFilesystem": false}'),
        looks=_shows("deployment", f"{_NAMED}.securityContext.readOnlyRootFilesystem"),
        kind="Deployment",
        drift="changed",
        field=f"{_SERVER}.securityContext.readOnlyRootFilesystem",
    ),
    DriftCase(
        name="label changed",
        causes=(("label", "service", "{model}", IN, "--overwrite", "ml-deployments/owner=nobody"),),
        looks=_shows("service", r"metadata.labels.ml-deployments/owner"),
        kind="Service",
        drift="changed",
        field="metadata.labels.ml-deployments/owner",
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
        looks=("get", "configmap", "{model}-rules", IN, r"--output=jsonpath={.data}"),
        kind="ConfigMap",
        drift="changed",
        field="data.{stage}-{model}.rules.yaml",
    ),
)

REMOVED = (
    DriftCase(
        name="environment variable removed",
        causes=(("set", "env", "deployment/{model}", IN, "MODEL_NAME-"),),
        looks=_shows("deployment", _NAMED + '.env[?(@.name=="MODEL_NAME")].value'),
        kind="Deployment",
        drift="removed",
        field=f"{_SERVER}.env[name=MODEL_NAME]",
    ),
    DriftCase(
        name="probe removed",
        causes=_in_server('"livenessProbe": null'),
        looks=_shows("deployment", f"{_NAMED}.livenessProbe"),
        kind="Deployment",
        drift="removed",
        field=f"{_SERVER}.livenessProbe",
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
    DriftCase(
        name="environment variable added",
        causes=(("set", "env", "deployment/{model}", IN, "GUEST=1"),),
        looks=_shows("deployment", _NAMED + '.env[?(@.name=="GUEST")].value'),
        kind="Deployment",
        drift="added",
        field=f"{_SERVER}.env[name=GUEST]",
    ),
    DriftCase(
        name="container added",
        causes=_in_pod('{"containers": [' + _GUEST + "]}"),
        looks=_shows("deployment", f"{_POD}.containers[*].name"),
        kind="Deployment",
        drift="added",
        field=f"{_POD}.containers[name=guest]",
    ),
    DriftCase(
        name="init container added",
        causes=_in_pod('{"initContainers": [' + _FIRST_GUEST + "]}"),
        looks=_shows("deployment", f"{_POD}.initContainers[*].name"),
        kind="Deployment",
        drift="added",
        field=f"{_POD}.initContainers[name=first-guest]",
    ),
    DriftCase(
        name="volume added",
        causes=_in_pod('{"volumes": [{"name": "guest", "emptyDir": {}}]}'),
        looks=_shows("deployment", f"{_POD}.volumes[*].name"),
        kind="Deployment",
        drift="added",
        field=f"{_POD}.volumes[name=guest]",
    ),
    DriftCase(
        name="toleration added",
        causes=_in_pod('{"tolerations": [{"key": "guest", "operator": "Exists"}]}'),
        looks=_shows("deployment", f"{_POD}.tolerations"),
        kind="Deployment",
        drift="added",
        field=f"{_POD}.tolerations",
    ),
    DriftCase(
        name="default overridden",
        causes=_in_pod('{"dnsPolicy": "Default"}'),
        looks=_shows("deployment", f"{_POD}.dnsPolicy"),
        kind="Deployment",
        drift="added",
        field=f"{_POD}.dnsPolicy",
    ),
    DriftCase(
        name="rollout restarted",
        causes=(("rollout", "restart", "deployment/{model}", IN),),
        looks=_shows("deployment", "spec.template.metadata.annotations"),
        kind="Deployment",
        drift="added",
        field="spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
    ),
    DriftCase(
        name="label added",
        causes=(("label", "deployment", "{model}", IN, "guest=yes"),),
        looks=_shows("deployment", "metadata.labels.guest"),
        kind="Deployment",
        drift="added",
        field="metadata.labels.guest",
    ),
    DriftCase(
        name="annotation added",
        causes=(("annotate", "serviceaccount", "{model}", IN, "guest=yes"),),
        looks=_shows("serviceaccount", "metadata.annotations.guest"),
        kind="ServiceAccount",
        drift="added",
        field="metadata.annotations.guest",
    ),
    DriftCase(
        name="port added to a Service",
        causes=_patch("service", '{"spec": {"ports": [{"name": "guest", "port": 9999, "protocol": "TCP"}]}}'),
        looks=_shows("service", "spec.ports[*].port"),
        kind="Service",
        drift="added",
        field="spec.ports[port=9999,protocol=TCP]",
    ),
    DriftCase(
        name="rule added to a NetworkPolicy",
        causes=_patch("networkpolicy", '[{"op": "add", "path": "/spec/ingress/-", "value": {}}]', "json"),
        looks=_shows("networkpolicy", "spec.ingress"),
        kind="NetworkPolicy",
        drift="added",
        field="spec.ingress[1]",
    ),
)

OBJECTS = (
    DriftCase(
        name="Deployment deleted",
        causes=(("delete", "deployment", "{model}", IN),),
        looks=_exists("deployment"),
        kind="Deployment",
        drift="deleted",
    ),
    DriftCase(
        name="Service deleted",
        causes=(("delete", "service", "{model}", IN),),
        looks=_exists("service"),
        kind="Service",
        drift="deleted",
    ),
    DriftCase(
        name="NetworkPolicy deleted",
        causes=(("delete", "networkpolicy", "{model}", IN),),
        looks=_exists("networkpolicy"),
        kind="NetworkPolicy",
        drift="deleted",
    ),
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
"""Every class that leaves the rest of the stage as it is."""
CLASSES = (*SMALL, NAMESPACE_DELETED)
