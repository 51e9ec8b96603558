"""A server that runs in pods of real nodes: the sandbox's own registry and kubectl, in one image without a system."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.images.archive import write_layer
from sandbox.images.oci import Layer, Settings, image, own_architecture
from sandbox.images.push import push
from sandbox.images.trees import File
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools

PORT = 5000
_CONFIG = b"""\
version: 0.1
storage: {inmemory: {}}
http: {addr: ':5000'}
"""


def push_server(registry: str, reference: str) -> str:
    """Push the image to a registry of a sandbox; returns its digest."""
    files = {
        "registry": File(built_tools(pins.REGISTRY) / "registry", 0o755),
        "kubectl": File(built_tools(pins.KUBERNETES) / "kubectl", 0o755),
        "config.yaml": File(_CONFIG),
    }
    with TemporaryDirectory() as folder:
        file = Path(folder) / "layer.tar"
        with file.open("wb") as output:
            layer = Layer(*write_layer(files, output), file)
        settings = Settings(entrypoint=("/registry", "serve", "/config.yaml"))
        return push(f"{registry}/{reference}", image((layer,), settings, own_architecture()))


def server(name: str, reference: str, replicas: int) -> list[dict[str, Any]]:
    """A Deployment on several nodes that leaves a lost node at once, and its Service."""
    labels = {"app": name}
    away = [
        {
            "key": f"node.kubernetes.io/{what}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 1,
        }
        for what in ("unreachable", "not-ready")
    ]
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    container = {
        "name": "server",
        "image": reference,
        "readinessProbe": {"httpGet": {"path": "/v2/", "port": PORT}, "periodSeconds": 1},
        "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "10m"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {"tolerations": away, "topologySpreadConstraints": [spread], "containers": [container]}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 8080, "targetPort": PORT}]},
        },
    ]
