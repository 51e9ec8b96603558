"""What people write who know Kubernetes, Helm charts or KServe: where it belongs here, or why it is not supported.

The names are those of the APIs: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/,
.../deployment-v1/, https://kserve.github.io/website/docs/reference/crd-api, and those that `helm create` writes.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hint:
    """What an unknown key means.

    Attributes:
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        meant: The key that was meant, at the same place; None where it is not there.
    """

    reason: str
    fix: str
    meant: str | None = None


_IN_IMAGE = "the image contains the server and its files"
_START = (
    "the image says how its server starts",
    "put it into the image, or use env where the server reads it",
)
_AUTOSCALED = (
    "the stack file is the only place that says how many replicas run",
    "write replicas: <number>",
)
_MARKS = (
    "the program sets them, so that its selectors, alerts and drift detection agree",
    "remove it; owner becomes a label",
)
_ACCESS = (
    "each model has a ServiceAccount of its own name",
    "remove it, and bind roles to that one; security: {mountServiceAccountToken: true} mounts its token",
)
_HOST = ("pods are isolated from their node, as the restricted Pod Security Standard asks", "remove it")
_RESTRICTED = (
    "containers always have what the restricted Pod Security Standard asks",
    "remove it; the opt-outs are the keys of security",
)
_PLACED = (
    "pods are placed by labels and taints of nodes",
    "write nodeSelector: {<label>: <value>}, and tolerations for tainted nodes",
)
_ONE_CONTAINER = ("a model is one container", "put what it does into the image")
_STORED = (
    "a replica has no storage of its own besides /tmp",
    "put files into the image, or mount a Secret or ConfigMap with mounts",
)
_ROUTED = (
    "the program makes no route from outside the cluster",
    "let your route lead to the Service that has the model's name; network: {clients: [...]} lets its pods in",
)
_SERVED = ("each model has a Service of type ClusterIP that has its name", "remove it; port says its port")
_MANIFEST = (
    "the file contains settings and is not a Kubernetes manifest",
    "keep the settings alone; docs/settings.md lists them",
)
_HTTP_PROBE = ("probes are HTTP requests to the model's port", "write path: <path>, like path: /health")
_KSERVE = (_IN_IMAGE, "write image: <repository>, and runtime: <the server in it>")
_WHOLE = ("a whole Secret or ConfigMap is mounted, read-only", "remove it; path is the folder")
_FROM_FILES = (
    "a variable is a text or a key of a Secret or ConfigMap",
    'write NAME: "text" or NAME: {secretKeyRef: {name: ..., key: ...}}',
)

# Where a key belongs: the key of ours, and what to write. The first whose key is known at the place is meant.
_OURS: dict[str, tuple[tuple[str, str], ...]] = {
    "livenessProbe": (("probes", "write probes: {liveness: {path: /health}}"), ("liveness", "write liveness")),
    "readinessProbe": (
        ("probes", "write probes: {readiness: {path: /ready}}"),
        ("readiness", "write readiness"),
    ),
    "startupProbe": (("probes", "write probes: {startup: {path: /health}}"), ("startup", "write startup")),
    "httpGet": (("path", "write path: <path> in its place; the port is the model's"),),
    "strategy": (("rollout", "write rollout: {maxUnavailable: 0, maxSurge: 1}"),),
    "updateStrategy": (("rollout", "write rollout: {maxUnavailable: 0, maxSurge: 1}"),),
    "deploymentStrategy": (("rollout", "write rollout: {maxUnavailable: 0, maxSurge: 1}"),),
    "rollingUpdate": (("rollout", "write rollout: {maxUnavailable: 0, maxSurge: 1}"),),
    "maxSurge": (("rollout", "write rollout: {maxSurge: 1}"),),
    "maxUnavailable": (("rollout", "write rollout: {maxUnavailable: 0}"),),
    "progressDeadlineSeconds": (("rollout", "write rollout: {progressDeadlineSeconds: 900}"),),
    "ports": (("port", "write port: <number>"),),
    "containerPort": (("port", "write port: <number>"),),
    "containerPorts": (("port", "write port: <number>"),),
    "targetPort": (("port", "write port: <number>"),),
    "servicePort": (("port", "write port: <number>"),),
    "terminationGracePeriodSeconds": (("shutdown", "write shutdown: {gracePeriodSeconds: 60}"),),
    "lifecycle": (("shutdown", "write shutdown: {preStopSleepSeconds: 15}"),),
    "preStop": (("shutdown", "write shutdown: {preStopSleepSeconds: 15}"),),
    "securityContext": (("security", "write security: {runAsUser: 1000}"),),
    "podSecurityContext": (("security", "write security: {runAsUser: 1000}"),),
    "containerSecurityContext": (("security", "write security: {runAsUser: 1000}"),),
    "runAsUser": (("security", "write security: {runAsUser: 1000}"),),
    "runAsNonRoot": (("security", "write security: {runAsNonRoot: true}"),),
    "readOnlyRootFilesystem": (("security", "write security: {readOnlyRootFilesystem: true}"),),
    "automountServiceAccountToken": (
        ("security", "write security: {mountServiceAccountToken: false}"),
        ("mountServiceAccountToken", "write mountServiceAccountToken"),
    ),
    "volumes": (("mounts", "write mounts: [{path: /etc/model, secret: <name>}]"),),
    "volumeMounts": (("mounts", "write mounts: [{path: /etc/model, secret: <name>}]"),),
    "extraVolumes": (("mounts", "write mounts: [{path: /etc/model, secret: <name>}]"),),
    "extraVolumeMounts": (("mounts", "write mounts: [{path: /etc/model, secret: <name>}]"),),
    "mountPath": (("path", "write path"),),
    "name": (("secret", "write secret: <name> or configMap: <name>"),),
    "secretName": (("secret", "write secret: <name>"),),
    "secretRef": (("secret", "write secret: <name>"),),
    "configMapName": (("configMap", "write configMap: <name>"),),
    "configMapRef": (("configMap", "write configMap: <name>"),),
    "valueFrom": (
        ("secretKeyRef", "write what is below it in its place: {secretKeyRef: {name: ..., key: ...}}"),
    ),
    "topologySpreadConstraints": (("spread", "write spread: {zones: true, nodes: true}, which is the default"),),
    "replicaCount": (("replicas", "write replicas: <number>"),),
    "numReplicas": (("replicas", "write replicas: <number>"),),
    "tag": (("version", 'write version: "<tag>"'),),
    "imageTag": (("version", 'write version: "<tag>"'),),
    "requests": (("resources", "write resources: {requests: {cpu: ..., memory: ...}, limits: {memory: ...}}"),),
    "limits": (("resources", "write resources: {requests: {cpu: ..., memory: ...}, limits: {memory: ...}}"),),
    "cpu": (("resources", "write resources: {requests: {cpu: ..., memory: ...}, limits: {memory: ...}}"),),
    "memory": (("resources", "write resources: {requests: {cpu: ..., memory: ...}, limits: {memory: ...}}"),),
    "gpu": (("resources", 'write resources: {limits: {nvidia.com/gpu: "1"}} with its requests'),),
    "podDisruptionBudget": (("disruptionBudget", "write disruptionBudget: {maxUnavailable: 1}"),),
    "pdb": (("disruptionBudget", "write disruptionBudget: {maxUnavailable: 1}"),),
    "minAvailable": (("maxUnavailable", "write maxUnavailable: 1"),),
    "networkPolicy": (("network", "write network: {clients: [{labels: {...}}], egress: [...]}"),),
    "ingress": (("clients", "write clients: [{labels: {...}}]"),),
    "ingressFrom": (("clients", "write clients: [{labels: {...}}]"),),
    "ipBlock": (("cidr", "write cidr: <range of addresses>"),),
    "podSelector": (("pods", "write pods: {labels: {...}}"), ("labels", "write labels: {...}")),
    "namespaceSelector": (
        ("pods", "write pods: {namespace: <name>, labels: {...}}"),
        ("namespace", "write namespace: <name>"),
    ),
    "matchLabels": (("labels", "write labels: {...}"),),
    "serviceMonitor": (("metrics", "write metrics: {path: /metrics}"),),
    "podMonitor": (("metrics", "write metrics: {path: /metrics}"),),
    "prometheusRule": (("alerts", "write alerts: {<alert>: {...}}"),),
    "envVars": (("env", 'write env: {NAME: "text"}'),),
    "extraEnv": (("env", 'write env: {NAME: "text"}'),),
    "extraEnvVars": (("env", 'write env: {NAME: "text"}'),),
    "environment": (("env", 'write env: {NAME: "text"}'),),
    "extraEnvFrom": (("envFrom", "write envFrom: [{secret: <name>}]"),),
    "team": (("owner", "write owner: <team>"),),
    "repository": (("image", "write image: <repository without a tag>"),),
}  # fmt: skip

# Why a key is not supported, and what to do instead.
_UNSUPPORTED: dict[tuple[str, ...], tuple[str, str]] = {
    ("args", "command", "entrypoint", "workingDir", "stdin", "tty"): _START,
    ("annotations", "podAnnotations", "labels", "podLabels", "commonLabels", "extraLabels"): _MARKS,
    ("serviceAccount", "serviceAccountName", "rbac"): _ACCESS,
    ("hostNetwork", "hostPID", "hostIPC", "hostPort", "hostUsers", "hostname", "hostAliases", "hostPath"): _HOST,
    (
        "privileged", "allowPrivilegeEscalation", "capabilities", "seccompProfile", "appArmorProfile",
        "seLinuxOptions", "procMount", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "supplementalGroups", "sysctls",
    ): _RESTRICTED,
    ("affinity", "nodeAffinity", "podAffinity", "podAntiAffinity", "nodeName", "schedulerName"): _PLACED,
    ("runtimeClassName", "runtimeClass"): (
        "pods use the node's default container runtime",
        "remove it; an admission policy of the cluster can set it",
    ),
    ("priorityClassName", "priorityClass", "priority", "preemptionPolicy"): (
        "models of a stage are of equal priority", "remove it; a namespace's admission policy can set it",
    ),
    ("imagePullPolicy", "pullPolicy"): (
        "Kubernetes' default, IfNotPresent, is right for a version that does not move",
        "remove it; digest pins the image",
    ),
    (
        "initContainers", "sidecars", "extraContainers", "ephemeralContainers", "shareProcessNamespace",
        "transformer", "explainer",
    ): _ONE_CONTAINER,
    ("postStart",): _START,
    ("minReadySeconds",): (
        "the readiness probe says when a replica can serve", "remove it, or raise probes.readiness.initialDelaySeconds",
    ),
    ("revisionHistoryLimit",): ("the history is in git", "remove it; `python -m delivery rollback` goes back"),
    ("restartPolicy", "activeDeadlineSeconds"): ("a replica always runs, and restarts when it ends", "remove it"),
    (
        "autoscaling", "hpa", "horizontalPodAutoscaler", "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric",
        "keda", "scaledObject", "behavior", "targetCPUUtilizationPercentage", "targetMemoryUtilizationPercentage",
    ): _AUTOSCALED,
    ("dnsPolicy", "dnsConfig", "enableServiceLinks"): ("pods use the cluster's DNS", "remove it"),
    (
        "persistentVolumeClaim", "persistence", "pvc", "claimName", "volumeClaimTemplates", "emptyDir", "csi",
        "nfs", "ephemeral", "projected", "downwardAPI", "storage",
    ): _STORED,
    ("subPath", "subPathExpr", "readOnly", "defaultMode", "items", "mountPropagation"): _WHOLE,
    ("ingress", "ingressClassName", "gateway", "httpRoute", "virtualService", "hosts", "tls"): _ROUTED,
    ("service", "serviceType", "nodePort", "clusterIP", "loadBalancerIP", "sessionAffinity"): _SERVED,
    (
        "apiVersion", "kind", "metadata", "spec", "template", "selector", "containers", "status",
        "nameOverride", "fullnameOverride",
    ): _MANIFEST,
    ("exec", "tcpSocket", "grpc", "scheme", "httpHeaders", "successThreshold"): _HTTP_PROBE,
    ("fieldRef", "resourceFieldRef", "fileKeyRef"): _FROM_FILES,
    ("prefix", "optional"): ("a missing variable would be found only when the server needs it", "remove it"),
    (
        "predictor", "storageUri", "storage_uri", "modelUri", "modelFormat", "protocolVersion", "sourceUri", "model",
    ): _KSERVE,
    ("canaryTrafficPercent", "canary", "traffic", "trafficPolicy"): (
        "a release replaces the replicas one by one", "remove it; stages and gates are where a version is tried",
    ),
    ("containerConcurrency", "timeout", "batcher", "logger"): (
        "the server handles requests, and nothing stands in front of it", "set it in the server, as with env",
    ),
    ("name", "modelName"): (
        "the file's name is the model's name", "remove it; the server finds the name in MODEL_NAME",
    ),
}  # fmt: skip


# Words that mean this only for a whole model, which has resources.
_OF_MODELS = frozenset(("name", "model", "service", "storage", "timeout", "priority", "labels", "status"))


def _plain(key: str) -> str:
    return re.sub(r"[-_]", "", key).lower()


_MEANT = {_plain(key): ours for key, ours in _OURS.items()}
_WHY = {_plain(key): why for keys, why in _UNSUPPORTED.items() for key in keys}


def term(key: str, known: Collection[str]) -> Hint | None:
    """What an unknown key means in the words of Kubernetes, Helm or KServe; None where it is not one of them.

    Args:
        key: The key.
        known: The keys that are known at its place.
    """
    plain = _plain(key)
    for ours, fix in _MEANT.get(plain, ()):
        if ours in known:
            return Hint(reason="unknown key", fix=fix, meant=ours)
    if plain in _WHY and (key not in _OF_MODELS or "resources" in known):
        why, instead = _WHY[plain]
        return Hint(reason=f"is not supported, because {why}", fix=instead)
    return None


def shape(key: str, kind: str, given: object) -> tuple[str, str] | None:
    """Reason and fix for a value in the form that Kubernetes has for the same key; None for every other one.

    Args:
        key: The last key of the value's path.
        kind: Pydantic's type of the error.
        given: The value.
    """
    if isinstance(given, list) and kind in {"dict_type", "model_type", "model_attributes_type"}:
        if key == "env":
            return "must be a mapping of names to values, and not a list", 'write NAME: "text", a line each'
        return "must be a mapping, and not a list", "write it as `key: value` lines"
    if isinstance(given, dict) and kind == "string_type" and set(given) == {"name"}:
        return "must be the name alone", f"write {given['name']}"
    return None
