"""What the parts of a node read, as data. Pure functions; the paths are those in the node's own root."""

import base64
import json
from typing import Any

import yaml

from sandbox.nodes.plan import (
    DNS_SERVICE,
    DOMAIN,
    PODS_RANGE,
    REGISTRY_PORT,
    WORLD_ADDRESS,
    NodePlan,
)

MIRROR = f"http://{WORLD_ADDRESS}:{REGISTRY_PORT}"
PAUSE = "registry.k8s.io/pause:3.10.1"
KUBECONFIG = "/etc/kubernetes/kubeconfig"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
_RUNTIME = "io.containerd.cri.v1.runtime"
_IMAGES = "io.containerd.cri.v1.images"


def etc_files(node: NodePlan, kubeconfig: str, cgroup: str) -> dict[str, str]:
    """The files of a node's /etc by their paths in it.

    Args:
        node: The node.
        kubeconfig: What it reaches the API server with.
        cgroup: The cgroup of its pods, like `/ml-deployments-0a1b2c3d/worker-1`.
    """
    return {
        "hosts": f"127.0.0.1 localhost\n{node.address} {node.name}\n",
        "hostname": f"{node.name}\n",
        # For pods with dnsPolicy Default: outside the cluster there are no names.
        "resolv.conf": "",
        "passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "group": "root:x:0:\n",
        "kubernetes/kubeconfig": kubeconfig,
        "kubernetes/kubelet.yaml": yaml.safe_dump(_kubelet(cgroup)),
        "kubernetes/kube-proxy.yaml": yaml.safe_dump(_kube_proxy(node)),
        "containerd/config.toml": _containerd(),
        "containerd/certs.d/_default/hosts.toml": _mirror(),
        "cni/net.d/10-pods.conflist": json.dumps(_pod_network(node)),
    }


def kubeconfig_of(server: str, authority: bytes, certificate: bytes, key: bytes) -> str:
    """A kubeconfig with everything in it.

    Args:
        server: The API server's address.
        authority: The certificate that signs the API server's, in PEM.
        certificate: The client's, in PEM.
        key: The client's, in PEM.
    """
    name = "sandbox"
    cluster = {"server": server, "certificate-authority-data": _base64(authority)}
    user = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _kubelet(cgroup: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "enforceNodeAllocatable": [],
        # The machine's own cgroup version is the user's affair.
        "failCgroupV1": False,
        "failSwapOn": False,
        # A lower score needs a capability that a container may lack.
        "oomScoreAdj": 0,
        "serializeImagePulls": False,
        # The disk is the user's, who may like it full: a pod is evicted only where nothing could be written any more.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
    }


def _kube_proxy(node: NodePlan) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": PODS_RANGE,
        "hostnameOverride": node.name,
        "clientConnection": {"kubeconfig": KUBECONFIG},
        # The table of connections is the machine's, which is not changed.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _containerd() -> str:
    return f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."{_RUNTIME}"]
restrict_oom_score_adj = true

[plugins."{_RUNTIME}".containerd]
default_runtime_name = "runc"

[plugins."{_RUNTIME}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."{_RUNTIME}".containerd.runtimes.runc.options]
BinaryName = "/opt/runc/runc"
SystemdCgroup = false

[plugins."{_RUNTIME}".cni]
bin_dirs = ["/opt/containerd"]
conf_dir = "/etc/cni/net.d"

[plugins."{_IMAGES}".pinned_images]
sandbox = "{PAUSE}"

[plugins."{_IMAGES}".registry]
config_path = "/etc/containerd/certs.d"
"""


def _mirror() -> str:
    # The mirror is also the server: the real registry cannot be reached, and trying it would only delay the answer.
    return f'server = "{MIRROR}"\n\n[host."{MIRROR}"]\ncapabilities = ["pull", "resolve"]\n'


def _pod_network(node: NodePlan) -> dict[str, Any]:
    """A link for each pod: on a bridge, the answer of a pod on the same node would miss the rules of the Service."""
    ranges = [[{"subnet": node.pods}]]
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
            }
        ],
    }
