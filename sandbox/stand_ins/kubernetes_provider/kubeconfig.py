"""The connection a kubeconfig describes: server, certificates, context."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.stand_ins.kubernetes_provider.errors import ProviderError


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach a cluster.

    Attributes:
        server: The URL of the API server.
        context: The name of the context.
        authority: The certificates to trust, as PEM; empty for the system's.
        client_certificate: The client's certificate followed by its key, as PEM; empty without one.
    """

    server: str
    context: str
    authority: str
    client_certificate: bytes


def connection(kubeconfig: str | None, context: str | None) -> Connection:
    """Read the connection of a context.

    Args:
        kubeconfig: A path or the content itself; None for the files of KUBECONFIG or the user's own file.
        context: The context's name; None for the current one.

    Raises:
        ProviderError: there is no kubeconfig, or it has no such context.
    """
    source = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    configs = _read(source)
    contexts = _entries(configs, "context")
    name = context or next((c["current-context"] for c, _ in configs if c.get("current-context")), "")
    if name not in contexts:
        raise ProviderError(
            f"the kubeconfig has no context {name!r}; it has: {', '.join(sorted(contexts)) or 'none'}. "
            "Fix: correct ml-deployments:kubeContext, or use the kubeconfig that has it"
        )
    chosen, _ = contexts[name]
    cluster, cluster_folder = _entries(configs, "cluster").get(chosen.get("cluster", ""), ({}, Path()))
    user, user_folder = _entries(configs, "user").get(chosen.get("user", ""), ({}, Path()))
    if "server" not in cluster:
        raise ProviderError(f"context {name!r} of the kubeconfig names no cluster that has a server")
    certificate = _pem(user, "client-certificate", user_folder)
    return Connection(
        server=cluster["server"].rstrip("/"),
        context=name,
        authority=_pem(cluster, "certificate-authority", cluster_folder).decode(),
        client_certificate=certificate + b"\n" + _pem(user, "client-key", user_folder)
        if certificate
        else b"",
    )


def _read(source: str) -> list[tuple[dict[str, Any], Path]]:
    """Each kubeconfig with the folder its paths are relative to."""
    if "\n" in source or source.lstrip().startswith("{"):
        return [(_parsed(source, "its content"), Path())]
    # Of several files those that are missing are passed over, as kubectl does.
    paths = [Path(name) for name in source.split(os.pathsep) if name]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise ProviderError(
            f"cannot reach a cluster: there is no kubeconfig at {source}. Fix: start the sandbox with "
            "`python -m sandbox up` and use its shell, or set KUBECONFIG"
        )
    return [(_parsed(path.read_text(encoding="utf-8"), str(path)), path.parent) for path in found]


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ProviderError(f"the kubeconfig ({origin}) is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise ProviderError(f"the kubeconfig ({origin}) is not a mapping")
    return data


def _entries(configs: list[tuple[dict[str, Any], Path]], kind: str) -> dict[str, tuple[dict[str, Any], Path]]:
    """The contexts, clusters or users by name; of two with one name the first file's counts."""
    entries: dict[str, tuple[dict[str, Any], Path]] = {}
    for config, folder in configs:
        for item in config.get(f"{kind}s") or ():
            entries.setdefault(item["name"], (item.get(kind) or {}, folder))
    return entries


def _pem(entry: dict[str, Any], key: str, folder: Path) -> bytes:
    data: str = entry.get(f"{key}-data") or ""
    if data:
        return base64.b64decode(data)
    if not entry.get(key):
        return b""
    path = Path(folder, str(entry[key]))
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProviderError(f"cannot read {path}, which the kubeconfig names: {error.strerror}") from error
