"""Every version that the sandbox pins. tools/<set>/go.mod and go.sum pin what Go builds; the rest is pinned here."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TOOLS_FOLDER = Path(__file__).resolve().parent
GO_REQUIREMENTS = TOOLS_FOLDER / "go-requirements.txt"
# The Python SDK's version: the CLI searches for a plugin with the same version.
PULUMI_KUBERNETES = "4.34.2"
OPERATOR_MODULE = "github.com/prometheus-operator/prometheus-operator"
_PLUGIN_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
ARGOCD_MODULE = "github.com/argoproj/argo-cd/v3"
_PROMETHEUS_MODULE = "github.com/prometheus/prometheus"
_PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
_CONTAINERD_MODULE = "github.com/containerd/containerd/v2"
_CNI_MODULE = "github.com/containernetworking/plugins"
_KUBERNETES_VERSIONS = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True, kw_only=True)
class ToolSet:
    """Tools that are built together, from the go.mod in their folder.

    Attributes:
        name: The folder in tools/ and in the cache.
        title: What is built, for the user.
        minutes: How long the first build takes on 2 cores.
        tools: Each tool: the module whose version is the tool's, and Go's name for the binary.
        stamps: Each Go variable that gets a version: of which module, and in which format.
        copies: Each folder that is copied next to the binaries: its module, and its path in it.
        may_be_installed: A tool on PATH with a compatible version is used instead.
        tags: The build tags, for a program that is built with C and its libraries.
    """

    name: str
    title: str
    minutes: int
    tools: Mapping[str, tuple[str, str]]
    stamps: Mapping[str, tuple[str, str]]
    copies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    may_be_installed: bool = True
    tags: str = ""

    @property
    def folder(self) -> Path:
        """Where its go.mod and go.sum are."""
        return TOOLS_FOLDER / self.name

    def module_version(self, module: str) -> str:
        """The version its go.mod pins a module at, like `v3.259.0`."""
        return self._pinned(rf"{re.escape(module)} (v\S+)", module)

    def go_minimum(self) -> tuple[int, ...]:
        """The oldest Go that builds it, like `(1, 26, 7)`."""
        return tuple(map(int, self._pinned(r"go ([\d.]+)", "the version of Go").split(".")))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any pin of the set: the name of its folder in the cache."""
        digest = hashlib.sha256()
        for path in (*sorted(self.folder.rglob("*")), GO_REQUIREMENTS):
            if path.is_file():
                digest.update(path.read_bytes())
        for table in (self.tools, self.stamps, self.copies):
            digest.update(repr(sorted(table.items())).encode())
        digest.update(self.tags.encode())
        return digest.hexdigest()[:16]

    def version_flags(self) -> str:
        """The linker flags that write the versions into the binaries."""
        flags = ["-s -w"]
        for variable, (tool, form) in self.stamps.items():
            plain = tool_version(tool).removeprefix("v")
            major, minor, _ = plain.split(".")
            flags.append(f"-X {variable}={form.format(plain=plain, major=major, minor=minor)}")
        return " ".join(flags)

    def _pinned(self, pattern: str, what: str) -> str:
        text = (self.folder / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^(?:\s+|require )?{pattern}", text, re.MULTILINE)
        if match is None:
            raise LookupError(f"{what} is not in {self.folder / 'go.mod'}")
        return match[1]


def _kubernetes_stamps() -> dict[str, tuple[str, str]]:
    forms = {"gitVersion": "v{plain}", "gitMajor": "{major}", "gitMinor": "{minor}"}
    return {
        f"{package}.{variable}": ("kubectl", form)
        for package in _KUBERNETES_VERSIONS
        for variable, form in forms.items()
    }


KUBERNETES = ToolSet(
    name="kubernetes",
    title="the control plane, KWOK and Pulumi",
    minutes=10,
    tools={
        "pulumi": ("github.com/pulumi/pulumi/pkg/v3", "pulumi"),
        "etcd": ("go.etcd.io/etcd/server/v3", "server"),
        "kube-apiserver": ("k8s.io/kubernetes", "kube-apiserver"),
        "kube-controller-manager": ("k8s.io/kubernetes", "kube-controller-manager"),
        "kube-scheduler": ("k8s.io/kubernetes", "kube-scheduler"),
        "kubectl": ("k8s.io/kubernetes", "kubectl"),
        "kwok": ("sigs.k8s.io/kwok", "kwok"),
        "kwokctl": ("sigs.k8s.io/kwok", "kwokctl"),
    },
    stamps={
        "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": ("pulumi", "v{plain}"),
        **_kubernetes_stamps(),
    },
)
# Not in the set of the CLI: it does not compile with the Kubernetes modules of the control plane.
KUBERNETES_PLUGIN = ToolSet(
    name="pulumi-kubernetes",
    title="Pulumi's Kubernetes plugin",
    minutes=15,
    tools={"pulumi-resource-kubernetes": (_PLUGIN_MODULE, "pulumi-kubernetes")},
    stamps={"main.version": ("pulumi-resource-kubernetes", PULUMI_KUBERNETES)},
    copies={"schema": (_PLUGIN_MODULE, "cmd/pulumi-resource-kubernetes")},
    may_be_installed=False,
)
OPERATOR = ToolSet(
    name="operator",
    title="the Prometheus operator",
    minutes=2,
    tools={
        "prometheus-operator": (OPERATOR_MODULE, "operator"),
        "prometheus-admission-webhook": (OPERATOR_MODULE, "admission-webhook"),
        # Not for this machine: the operator puts it next to each Prometheus and Alertmanager.
        "prometheus-config-reloader": (OPERATOR_MODULE, "prometheus-config-reloader"),
    },
    stamps={_PROMETHEUS_VERSION: ("prometheus-operator", "{plain}")},
    copies={"crds": (OPERATOR_MODULE, "example/prometheus-operator-crd")},
    may_be_installed=False,
)
PROMETHEUS = ToolSet(
    name="prometheus",
    title="Prometheus",
    minutes=4,
    tools={
        "prometheus": (_PROMETHEUS_MODULE, "prometheus"),
        "promtool": (_PROMETHEUS_MODULE, "promtool"),
    },
    stamps={_PROMETHEUS_VERSION: ("prometheus", "{plain}")},
)
# Not in the set of Prometheus, which needs a newer one: from 0.32 on the module lacks its embedded user interface.
ALERTMANAGER = ToolSet(
    name="alertmanager",
    title="Alertmanager",
    minutes=1,
    tools={
        "alertmanager": ("github.com/prometheus/alertmanager", "alertmanager"),
        "amtool": ("github.com/prometheus/alertmanager", "amtool"),
    },
    stamps={_PROMETHEUS_VERSION: ("alertmanager", "{plain}")},
)
KUBE_STATE_METRICS = ToolSet(
    name="kube-state-metrics",
    title="kube-state-metrics",
    minutes=1,
    tools={"kube-state-metrics": ("k8s.io/kube-state-metrics/v2", "kube-state-metrics")},
    stamps={_PROMETHEUS_VERSION: ("kube-state-metrics", "v{plain}")},
    may_be_installed=False,
)
# One program; ARGOCD_BINARY_NAME selects the part of Argo CD.
ARGOCD = ToolSet(
    name="argocd",
    title="Argo CD",
    minutes=4,
    tools={"argocd": (ARGOCD_MODULE, "cmd")},
    stamps={f"{ARGOCD_MODULE}/common.version": ("argocd", "{plain}")},
    copies={"crds": (ARGOCD_MODULE, "manifests/crds")},
    may_be_installed=False,
)
# Only its CRDs: source-controller needs a module that the Go proxy does not have.
FLUX = ToolSet(
    name="flux",
    title="Flux' kinds of objects",
    minutes=1,
    tools={},
    stamps={},
    copies={
        f"{name}-crds": (f"github.com/fluxcd/{name}", "config/crd/bases")
        for name in ("kustomize-controller", "source-controller")
    },
    may_be_installed=False,
)
REGISTRY = ToolSet(
    name="registry",
    title="the OCI registry",
    minutes=1,
    tools={"registry": ("github.com/distribution/distribution/v3", "registry")},
    stamps={},
    may_be_installed=False,
)
REDIS_EXPORTER = ToolSet(
    name="redis-exporter",
    title="the Redis exporter",
    minutes=1,
    tools={"redis_exporter": ("github.com/oliver006/redis_exporter", "redis_exporter")},
    stamps={},
    may_be_installed=False,
)
# Not in the set of the control plane, so that simulated nodes do not need it. It has the same modules.
KUBELET = ToolSet(
    name="kubelet",
    title="the kubelet and kube-proxy",
    minutes=5,
    tools={"kubelet": ("k8s.io/kubernetes", "kubelet"), "kube-proxy": ("k8s.io/kubernetes", "kube-proxy")},
    stamps=_kubernetes_stamps(),
    may_be_installed=False,
)
# pause holds the namespaces of a pod; it is a program of this set's own folder.
CONTAINERD = ToolSet(
    name="containerd",
    title="containerd and what connects pods",
    minutes=2,
    tools={
        "containerd": (_CONTAINERD_MODULE, "containerd"),
        "containerd-shim-runc-v2": (_CONTAINERD_MODULE, "containerd-shim-runc-v2"),
        "ptp": (_CNI_MODULE, "ptp"),
        "host-local": (_CNI_MODULE, "host-local"),
        "loopback": (_CNI_MODULE, "loopback"),
        "pause": (_CONTAINERD_MODULE, "pause"),
    },
    stamps={f"{_CONTAINERD_MODULE}/version.Version": ("containerd", "v{plain}")},
    may_be_installed=False,
)
# Debian's own is too old for containerd 2.
RUNC = ToolSet(
    name="runc",
    title="runc",
    minutes=1,
    tools={"runc": ("github.com/opencontainers/runc", "runc")},
    stamps={},
    may_be_installed=False,
    tags="seccomp",
)
COREDNS = ToolSet(
    name="coredns",
    title="CoreDNS",
    minutes=1,
    tools={"coredns": ("github.com/coredns/coredns", "coredns")},
    stamps={},
    may_be_installed=False,
)
ACTIONLINT = ToolSet(
    name="actionlint",
    title="actionlint",
    minutes=1,
    tools={"actionlint": ("github.com/rhysd/actionlint", "actionlint")},
    # Its version is that of its module, which Go knows.
    stamps={},
)
SETS = (
    KUBERNETES,
    KUBERNETES_PLUGIN,
    OPERATOR,
    PROMETHEUS,
    ALERTMANAGER,
    KUBE_STATE_METRICS,
    ARGOCD,
    FLUX,
    REGISTRY,
    REDIS_EXPORTER,
    KUBELET,
    CONTAINERD,
    RUNC,
    COREDNS,
    ACTIONLINT,
)
# What runs on real nodes, and not in the user's shell.
REAL_NODES = (KUBELET, CONTAINERD, RUNC, COREDNS)
LINKED = tuple(tools for tools in SETS if tools not in REAL_NODES)
# What `up` starts, besides Pulumi's plugins; the others are for tests and checks.
STARTED = (KUBERNETES, OPERATOR)


def tool_version(tool: str) -> str:
    """The pinned version of a tool, like `v1.37.2`."""
    tools = next(tools for tools in SETS if tool in tools.tools)
    module, _ = tools.tools[tool]
    version = tools.module_version(module)
    if module != _PROMETHEUS_MODULE:
        return version
    # Prometheus' module has version v0.316.2 for 3.16.2.
    _, number, patch = version.split(".")
    return f"v{int(number) // 100}.{int(number) % 100}.{patch}"
