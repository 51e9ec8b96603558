"""The locks of Pulumi's file backend. With other backends only Pulumi knows the locks, and only during an update."""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit


def locked(stages: Iterable[str]) -> frozenset[str]:
    """The stages whose stack is locked, in the file backend that PULUMI_BACKEND_URL names; else none."""
    address = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    if address.scheme != "file":
        return frozenset()
    locks = Path(unquote(address.path)) / ".pulumi" / "locks"
    return frozenset(stage for stage in stages if any(locks.glob(f"**/{stage}/*.json")))
