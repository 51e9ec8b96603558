"""CoreDNS, which gives pods the names of Services: objects as a real cluster has them."""

from typing import Any

from sandbox.nodes.images import COREDNS
from sandbox.nodes.plan import DNS_SERVICE, DOMAIN

NAMESPACE = "kube-system"
NAME = "coredns"
# The label by which NetworkPolicies name it in real clusters, and so in the committed stages.
_LABELS = {"k8s-app": "kube-dns"}
_PORT = 53
_READY_PORT = 8181
_COREFILE = f"""\
.:{_PORT} {{
    errors
    health
    ready
    kubernetes {DOMAIN} in-addr.arpa {{
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def dns_objects() -> dict[str, Any]:
    """Its Deployment, Service, configuration and rights, as a list that kubectl applies."""
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"system:{NAME}"}
    ports = [
        {"name": "dns", "port": _PORT, "protocol": "UDP"},
        {"name": "dns-tcp", "port": _PORT, "protocol": "TCP"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            _object("v1", "ServiceAccount"),
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": role["name"]},
                "rules": [
                    _read("", "endpoints", "services", "pods", "namespaces"),
                    _read("discovery.k8s.io", "endpointslices"),
                ],
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": role["name"]},
                "roleRef": role,
                "subjects": [account],
            },
            {**_object("v1", "ConfigMap"), "data": {"Corefile": _COREFILE}},
            {
                **_object("v1", "Service", "kube-dns"),
                "spec": {"clusterIP": DNS_SERVICE, "ports": ports, "selector": _LABELS},
            },
            {**_object("apps/v1", "Deployment"), "spec": _deployment()},
        ],
    }


def _object(version: str, kind: str, name: str = NAME) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": _LABELS},
    }


def _read(group: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": ["list", "watch"]}


def _deployment() -> dict[str, Any]:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _LABELS},
    }
    return {
        "replicas": 2,
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {
                "serviceAccountName": NAME,
                # A pod that resolved by itself could not start.
                "dnsPolicy": "Default",
                "priorityClassName": "system-cluster-critical",
                "topologySpreadConstraints": [spread],
                "containers": [_container()],
                "volumes": [{"name": "config", "configMap": {"name": NAME}}],
            },
        },
    }


def _container() -> dict[str, Any]:
    return {
        "name": NAME,
        "image": COREDNS.reference,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": _READY_PORT}, "periodSeconds": 2},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 30},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
