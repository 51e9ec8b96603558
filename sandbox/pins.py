"""Every version the sandbox pins. What Go builds is pinned by tools/go.mod and tools/go.sum; the rest stands here."""

import hashlib
import re
from pathlib import Path

TOOLS_FOLDER = Path(__file__).resolve().parent / "tools"
PULUMI_KUBERNETES = "4.34.2"
GO_MINIMUM = (1, 26)
# Each tool: the module whose version is the tool's, and the name Go gives the binary.
TOOLS = {
    "pulumi": ("github.com/pulumi/pulumi/pkg/v3", "pulumi"),
    "etcd": ("go.etcd.io/etcd/server/v3", "server"),
    "kube-apiserver": ("k8s.io/kubernetes", "kube-apiserver"),
    "kube-controller-manager": ("k8s.io/kubernetes", "kube-controller-manager"),
    "kube-scheduler": ("k8s.io/kubernetes", "kube-scheduler"),
    "kubectl": ("k8s.io/kubernetes", "kubectl"),
    "kwok": ("sigs.k8s.io/kwok", "kwok"),
    "kwokctl": ("sigs.k8s.io/kwok", "kwokctl"),
}


def module_version(module: str) -> str:
    """The version tools/go.mod pins a module at, like `v3.259.0`."""
    text = (TOOLS_FOLDER / "go.mod").read_text(encoding="utf-8")
    match = re.search(rf"^\s*{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if match is None:
        raise LookupError(f"{module} is not in tools/go.mod")
    return match[1]


def tool_version(tool: str) -> str:
    """The pinned version of a tool, like `v1.37.2`."""
    return module_version(TOOLS[tool][0])


def fingerprint() -> str:
    """16 hexadecimal digits that change with any pin: the name of the tools' folder in the cache."""
    digest = hashlib.sha256()
    for path in (*sorted(TOOLS_FOLDER.iterdir()), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
