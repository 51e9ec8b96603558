"""Where the sandbox keeps its files: `.sandbox` in the checkout, and the tools in the user's cache."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SandboxPaths:
    """The files of one checkout's sandbox; `down` removes them all.

    Attributes:
        checkout: The project.
    """

    checkout: Path

    @property
    def root(self) -> Path:
        """The folder of everything below."""
        return self.checkout / ".sandbox"

    @property
    def bin(self) -> Path:
        """The tools in use, first on the sandbox shell's PATH."""
        return self.root / "bin"

    @property
    def kubeconfig(self) -> Path:
        """The cluster's kubeconfig; it contains only the sandbox's context."""
        return self.root / "kubeconfig"

    @property
    def kwok(self) -> Path:
        """KWOK's working folder."""
        return self.root / "cluster"

    @property
    def nodes(self) -> Path:
        """What real nodes keep; it is there only in a sandbox with real nodes."""
        return self.root / "nodes"

    @property
    def state(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "state"

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's own folder, so that the user's is not touched."""
        return self.root / "pulumi-home"

    @property
    def lock(self) -> Path:
        """The lock file: outside the folder, since `down` removes the folder while it holds the lock."""
        return cache() / "locks" / self.checkout.as_posix().strip("/").replace("/", "_")


def here() -> SandboxPaths:
    """The sandbox of the checkout this package belongs to."""
    return SandboxPaths(checkout=Path(__file__).resolve().parents[2])


def cache() -> Path:
    """The folder that outlives `down` and is shared by all checkouts of the user."""
    root = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(root) / "ml-deployments"
