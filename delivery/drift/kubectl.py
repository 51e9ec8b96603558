"""The cluster of a stage, through kubectl, which supports every login that its user has set up."""

import json
import os
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.errors import UserError
from delivery.identity import Identity, identity

REQUEST_SECONDS = 20
COMMAND_SECONDS = 180
# When the server refuses more objects than this, they have a common cause, which one message reports.
MOST_REFUSED = 20
Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ServedKind:
    """A kind of object the cluster has; `resource` is what kubectl calls it, like `deployments.apps`."""

    resource: str
    api_version: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]


class Kubectl:
    """kubectl on one context of the user's kubeconfig; None is its current one.

    `environment` is set besides the process' own variables. `commands` names what kubectl was asked, in order.
    """

    def __init__(self, context: str | None, environment: Mapping[str, str] | None = None) -> None:
        self.context = context
        self.environment = {**os.environ, **(environment or {})}
        self.commands: list[str] = []

    def kinds(self) -> list[ServedKind]:
        """Every kind the cluster has.

        Raises:
            UserError: the cluster cannot be reached, or kubectl is too old.
        """
        done = self._run("api-resources", "--output=json")
        if "json is not available" in done.stderr:
            raise UserError(
                f"this kubectl cannot list what a cluster has as data: {_said(done)}",
                "install kubectl 1.35 or later",
            )
        found = _resources(done.stdout)
        # One broken aggregated API is reported on standard error, and all others are listed.
        if not found:
            raise self._failure("cannot reach the cluster", done)
        return [_served(one) for one in found]

    def get(self, manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
        """The live ones of some objects, with their managed fields."""
        if not manifests:
            return []
        done = self._run("get", "--filename=-", "--ignore-not-found", *_OUTPUT, stdin=_list(manifests))
        if done.returncode != 0:
            raise self._failure("cannot read the objects of the stage", done)
        return _items(done.stdout)

    def all_of(self, kinds: Iterable[ServedKind], where: str) -> tuple[list[dict[str, Any]], list[str]]:
        """The objects of some kinds, with their managed fields, and what the server refused to list.

        Args:
            kinds: What to list.
            where: The flag that narrows it, `--namespace=` or `--selector=`.
        """
        names = ",".join(kind.resource for kind in kinds)
        if not names:
            return [], []
        done = self._run("get", names, "--ignore-not-found", where, *_OUTPUT)
        refused = [line for line in done.stderr.splitlines() if "Forbidden" in line]
        if done.returncode != 0 and not refused:
            raise self._failure("cannot list the objects of the stage", done)
        return _items(done.stdout), refused

    def would_apply(
        self, manifests: Sequence[Manifest], manager: str
    ) -> tuple[list[dict[str, Any]], dict[Identity, str]]:
        """Existing objects after applying, as the server says, and why it refuses those that it refuses.

        Raises:
            UserError: it refuses many of them.
        """
        refused: dict[Identity, str] = {}
        return self._would_apply(manifests, manager, refused), refused

    def _would_apply(
        self, manifests: Sequence[Manifest], manager: str, refused: dict[Identity, str]
    ) -> list[dict[str, Any]]:
        if not manifests:
            return []
        done = self._apply(manifests, manager, "--dry-run=server", *_OUTPUT)
        if done.returncode == 0:
            return _items(done.stdout)
        if len(manifests) == 1:
            refused[identity(manifests[0])] = _said(done)
            if len(refused) > MOST_REFUSED:
                raise self._failure("the server refuses to say what applying would change", done)
            return []
        # kubectl prints nothing when one object is refused, so the refused ones are found by bisection.
        middle = len(manifests) // 2
        first = self._would_apply(manifests[:middle], manager, refused)
        return first + self._would_apply(manifests[middle:], manager, refused)

    def apply(self, manifests: Sequence[Manifest], manager: str) -> str:
        """Apply objects in order and take over their fields; returns what the server refused, empty when nothing."""
        done = self._apply(manifests, manager)
        return "" if done.returncode == 0 else _said(done)

    def _apply(
        self, manifests: Sequence[Manifest], manager: str, *more: str
    ) -> subprocess.CompletedProcess[str]:
        flags = ("--server-side", "--force-conflicts", f"--field-manager={manager}", "--validate=false")
        return self._run("apply", "--filename=-", *flags, *more, stdin=_list(manifests))

    def replace(self, objects: Sequence[Manifest], manager: str) -> str:
        """Write live objects back, each only if it has not changed since; returns what the server refused."""
        flag = f"--field-manager={manager}"
        done = self._run("replace", "--filename=-", flag, "--validate=false", stdin=_list(objects))
        return "" if done.returncode == 0 else _said(done)

    def delete(self, objects: Sequence[Manifest]) -> str:
        """Delete objects and wait until they are gone; returns what the server refused."""
        flags = ("--ignore-not-found", f"--timeout={COMMAND_SECONDS // 2}s")
        done = self._run("delete", "--filename=-", *flags, stdin=_list(objects))
        return "" if done.returncode == 0 else _said(done)

    def server(self) -> str:
        """The address of the cluster, from the kubeconfig."""
        path = "--output=jsonpath={.clusters[0].cluster.server}"
        done = self._run("config", "view", "--minify", path)
        return done.stdout.strip() or "no server"

    def current_context(self) -> str:
        """The context in use."""
        if self.context is not None:
            return self.context
        return self._run("config", "current-context").stdout.strip() or "none"

    def _run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        context = [] if self.context is None else [f"--context={self.context}"]
        command = ["kubectl", *context, f"--request-timeout={REQUEST_SECONDS}s", *arguments]
        self.commands.append(arguments[0])
        try:
            return subprocess.run(
                command,
                env=self.environment,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise UserError("kubectl is not installed", "install kubectl") from None
        except subprocess.TimeoutExpired:
            raise UserError(
                f"`kubectl {arguments[0]}` did not end within {COMMAND_SECONDS} s",
                "check the cluster, or log in first where kubectl asks for a password",
            ) from None

    def _failure(self, what: str, done: subprocess.CompletedProcess[str]) -> UserError:
        return UserError(
            f"{what} at {self.server()} (context {self.current_context()}): {_said(done)}",
            "check that "
            "`kubectl` works with this context and may do that (for the sandbox: `make up`, then "
            'eval "$(.venv/bin/python -m sandbox env)"), or name another one with ml-deployments:kubeContext in the '
            "stack file",
        )


_OUTPUT = ("--output=json", "--show-managed-fields")


def served_kinds(kinds: Iterable[ServedKind]) -> set[tuple[str, str]]:
    """The API version and the kind of each."""
    return {(kind.api_version, kind.kind) for kind in kinds}


def listed(kinds: Iterable[ServedKind], but: Collection[str], *, namespaced: bool) -> list[ServedKind]:
    """The kinds whose objects can be listed and deleted, without some resources."""
    return [
        kind
        for kind in kinds
        if {"list", "delete"} <= kind.verbs and kind.resource not in but and kind.namespaced is namespaced
    ]


def _resources(printed: str) -> list[dict[str, Any]]:
    """The resources of an APIResourceList; none where kubectl printed nothing, or asked for a password."""
    try:
        found: dict[str, Any] = json.loads(printed)
    except ValueError:
        return []
    return found["resources"] or []


def _served(found: Mapping[str, Any]) -> ServedKind:
    """One resource of an APIResourceList; the core group has no name."""
    name, group, version = found["name"], found.get("group"), found["version"]
    return ServedKind(
        resource=f"{name}.{group}" if group else name,
        api_version=f"{group}/{version}" if group else version,
        kind=found["kind"],
        namespaced=found["namespaced"],
        verbs=frozenset(found["verbs"]),
    )


def _list(manifests: Sequence[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


def _items(output: str) -> list[dict[str, Any]]:
    """What kubectl printed: a list, one object, or nothing."""
    if not output.strip():
        return []
    found: dict[str, Any] = json.loads(output)
    items: list[dict[str, Any]] = found["items"] if found["kind"] == "List" else [found]
    return items


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [
        line
        for line in done.stderr.strip().splitlines()
        if not line.startswith("Warning:") and "memcache.go" not in line
    ]
    return " ".join(" ".join(lines).split()) or f"kubectl ended with {done.returncode}"
