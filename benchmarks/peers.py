"""The other tools that we compare with, each pinned."""

from pathlib import Path

from benchmarks.go_tool import go_tool

_TOOLS = Path(__file__).resolve().parent / "tools"


def helm() -> Path:
    """Helm, which deploys charts."""
    return go_tool("helm", "v3.22.0", "helm.sh/helm/v3/cmd/helm@v3.22.0")


def sloth() -> Path:
    """Sloth, which generates Prometheus rules from objectives."""
    return go_tool("sloth", "v0.16.0", "tool", _TOOLS / "sloth")
