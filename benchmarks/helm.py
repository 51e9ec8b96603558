"""Helm, a peer of the deploying benchmark, built once from its Go module."""

import os
import shutil
import subprocess
from pathlib import Path

from sandbox.lock import locked
from sandbox.paths import cache

VERSION = "v3.22.0"


def helm() -> Path:
    """The executable: the one on PATH, else built into the cache."""
    found = shutil.which("helm")
    if found is not None:
        return Path(found)
    folder = cache() / "helm" / VERSION
    with locked(cache() / "locks" / "helm", "Helm is being built"):
        if not (folder / "helm").is_file():
            subprocess.run(
                ["go", "install", f"helm.sh/helm/v3/cmd/helm@{VERSION}"],
                env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"},
                timeout=1200,
                check=True,
            )
    return folder / "helm"
