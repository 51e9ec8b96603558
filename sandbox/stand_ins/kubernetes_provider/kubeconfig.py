"""The connection a kubeconfig describes: server, certificates, context."""

import base64
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.stand_ins.kubernetes_provider.errors import ProviderError


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach a cluster: URL, files of the certificates, and the name of the context."""

    server: str
    context: str
    ca_file: str | None
    client_certificate: str | None
    client_key: str | None


def connection(kubeconfig: str | None, context: str | None) -> Connection:
    """Read the connection of a context.

    Args:
        kubeconfig: A path or the content itself; None for KUBECONFIG or the user's own file.
        context: The context's name; None for the current one.

    Raises:
        ProviderError: there is no kubeconfig, or it has no such context.
    """
    source = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    config, folder = _read(source)
    contexts = {item["name"]: item["context"] for item in config.get("contexts") or ()}
    name = context or config.get("current-context") or ""
    if name not in contexts:
        raise ProviderError(
            f"the kubeconfig has no context {name!r}; it has: {', '.join(sorted(contexts)) or 'none'}. "
            "Fix: correct ml-deployments:kubeContext, or use the kubeconfig that has it"
        )
    cluster = _named(config, "cluster", contexts[name]["cluster"])
    user = _named(config, "user", contexts[name].get("user", ""))
    return Connection(
        server=cluster["server"],
        context=name,
        ca_file=_file(cluster, "certificate-authority", folder),
        client_certificate=_file(user, "client-certificate", folder),
        client_key=_file(user, "client-key", folder),
    )


def _read(source: str) -> tuple[dict[str, Any], Path]:
    path = Path(source)
    if "\n" not in source:
        if not path.is_file():
            raise ProviderError(
                f"cannot reach a cluster: there is no kubeconfig at {source}. Fix: start the sandbox with "
                "`python -m sandbox up` and use its shell, or set KUBECONFIG"
            )
        source = path.read_text(encoding="utf-8")
    return yaml.safe_load(source) or {}, path.parent


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    items = config.get(f"{kind}s") or ()
    return next((item[kind] or {} for item in items if item["name"] == name), {})


def _file(entry: dict[str, Any], key: str, folder: Path) -> str | None:
    if key in entry:
        return str(folder / entry[key])
    if f"{key}-data" in entry:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(base64.b64decode(entry[f"{key}-data"]))
        return file.name
    return None
