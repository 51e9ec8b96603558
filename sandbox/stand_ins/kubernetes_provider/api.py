"""The Kubernetes API over pooled connections: apply, read, delete, list, with the errors users see."""

import json
import ssl
import tempfile
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import urllib3

from sandbox.stand_ins.kubernetes_provider.errors import (
    FieldConflictError,
    NotFoundError,
    ProviderError,
    UnknownKindError,
)
from sandbox.stand_ins.kubernetes_provider.kubeconfig import Connection

MARKER = "/api/v1/namespaces/kube-system/configmaps/ml-deployments-sandbox"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CONNECTIONS = 64
# Once it answered, an API server that restarts is waited for; one that never did is not there.
RESTART_SECONDS = 60.0
FIRST_ANSWER_SECONDS = 3.0
# An internal error may be a webhook that is down for good, so its message is not kept back for long.
INTERNAL_ERROR_SECONDS = 10.0
_HTTP_UNAUTHORIZED, _HTTP_FORBIDDEN, _HTTP_NOT_FOUND, _HTTP_CONFLICT = 401, 403, 404, 409
_HTTP_INTERNAL = 500
_HTTP_BUSY = {429, 502, 503, 504}
_OK = range(200, 300)
# What admission says while a server that restarted still fills its caches; quotas and RBAC refuse with 403, too.
_STARTING = "not yet ready to handle request"

Manifest = dict[str, Any]


class Api:
    """One cluster's API server, which must be the sandbox's."""

    def __init__(self, connection: Connection, cancelled: threading.Event | None = None) -> None:
        self._connection = connection
        self._cancelled = cancelled or threading.Event()
        self._answered = False
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            ssl_context=_ssl_context(connection),
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=70),
        )

    def require_sandbox(self) -> None:
        """Refuse every cluster but the sandbox.

        Raises:
            ProviderError: the cluster is another one, or cannot be reached.
        """
        found = urlsplit(self._connection.server).hostname in LOOPBACK
        if found:
            try:
                self._call("GET", MARKER)
            except NotFoundError:
                found = False
        if not found:
            raise ProviderError(
                f"{self._connection.server} (context {self._connection.context}) is not the local sandbox, and "
                "this is only a stand-in for the official Kubernetes plugin. Fix: install the official "
                "pulumi-resource-kubernetes to deploy to other clusters"
            )

    def apply(self, manifest: Manifest, *, manager: str, force: bool, dry_run: bool) -> Manifest:
        """Server-side apply; returns the live object.

        Raises:
            FieldConflictError: another manager owns a field and `force` is false.
            ProviderError: refused for another reason.
        """
        query = f"?fieldManager={manager}&force={str(force).lower()}&fieldValidation=Strict"
        path = self.path(manifest) + query + ("&dryRun=All" if dry_run else "")
        return self._call("PATCH", path, manifest, "application/apply-patch+yaml")

    def read(self, manifest: Manifest) -> Manifest | None:
        """The live object; None when there is none."""
        try:
            return self._call("GET", self.path(manifest))
        except NotFoundError:
            return None

    def delete(self, manifest: Manifest) -> str | None:
        """Delete an object and what depends on it; returns its uid, and None when there was no such object."""
        body = {"propagationPolicy": "Foreground"}
        try:
            answer = self._call("DELETE", self.path(manifest), body, "application/json")
        except (NotFoundError, UnknownKindError):
            return None
        # The server answers with the object while it goes, and with a status when it is gone.
        uid: str = (answer.get("details") or answer.get("metadata") or {}).get("uid", "")
        return uid

    def list(self, api_version: str, kind: str, namespace: str, selector: str = "") -> list[Manifest]:
        """The objects of a kind in a namespace, from the server's cache."""
        manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}
        query = f"?resourceVersion=0&labelSelector={selector}"
        items: list[Manifest] = self._call("GET", self.path(manifest) + query)["items"]
        return items

    def path(self, manifest: Manifest) -> str:
        """The object's path, or its kind's when it has no name.

        Raises:
            UnknownKindError: the cluster has no such kind.
        """
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        with self._lock:
            if kind not in self._kinds.get(version, {}):
                self._kinds[version] = self._discover(root)
            found = self._kinds[version].get(kind)
        if found is None:
            raise UnknownKindError(
                f'no matches for kind "{kind}" in version "{version}". Fix: install the custom resource '
                "definition that brings it"
            )
        plural, namespaced = found
        metadata = manifest["metadata"]
        where = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        name = f"/{metadata['name']}" if "name" in metadata else ""
        return f"{root}{where}/{plural}{name}"

    def _discover(self, root: str) -> dict[str, tuple[str, bool]]:
        try:
            resources = self._call("GET", root)["resources"]
        except NotFoundError:
            return {}
        return {r["kind"]: (r["name"], r["namespaced"]) for r in resources if "/" not in r["name"]}

    def _call(self, method: str, path: str, body: Manifest | None = None, content: str = "") -> Manifest:
        response = self._request(method, path, body, content)
        if response.status in _OK:
            data: Manifest = json.loads(response.data) if response.data else {}
            return data
        raise refusal(response.status, response.data)

    def _request(self, method: str, path: str, body: Manifest | None, content: str) -> Any:
        patience = RESTART_SECONDS if self._answered else FIRST_ANSWER_SECONDS
        started, pause = time.monotonic(), 0.1
        while True:
            response = None
            try:
                response = self._pool.request(
                    method,
                    self._connection.server + path,
                    body=None if body is None else json.dumps(body),
                    headers={"Content-Type": content} if content else None,
                )
            except urllib3.exceptions.HTTPError as error:
                # The pool's own wording begins with the object and its address.
                reason = str(error).rpartition(": ")[2]
            else:
                if not passing(response.status, response.data):
                    self._answered = True
                    return response
                if response.status == _HTTP_INTERNAL:
                    patience = min(patience, INTERNAL_ERROR_SECONDS)
            if time.monotonic() + pause > started + patience or self._cancelled.wait(pause):
                if response is not None:
                    return response
                raise ProviderError(
                    f"cannot reach the cluster at {self._connection.server} (context "
                    f"{self._connection.context}): {reason}. Fix: start it (`python -m sandbox up`), or correct "
                    "the context"
                )
            pause = min(pause * 2, 2.0)


def passing(status: int, body: bytes) -> bool:
    """True for an answer that a server gives while it starts or is busy, and another one soon after."""
    if status == _HTTP_FORBIDDEN:
        return _STARTING.encode() in body
    return status in _HTTP_BUSY or status in {_HTTP_UNAUTHORIZED, _HTTP_INTERNAL}


def refusal(status: int, body: bytes) -> ProviderError:
    """The error for an answer that is no success, with the server's own words."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    message = answer.get("message") or body.decode(errors="replace").strip() or f"HTTP {status}"
    if status == _HTTP_NOT_FOUND:
        return NotFoundError(message)
    causes = (answer.get("details") or {}).get("causes") or ()
    if status == _HTTP_CONFLICT and any(cause.get("reason") == "FieldManagerConflict" for cause in causes):
        return FieldConflictError(message)
    return ProviderError(message)


def _ssl_context(connection: Connection) -> ssl.SSLContext:
    """Made once: a context for each connection would read the certificates again."""
    context = ssl.create_default_context(cadata=connection.authority or None)
    if connection.client_certificate:
        # Python loads a key from files only; this one is readable for us alone and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(connection.client_certificate)
            file.flush()
            context.load_cert_chain(file.name)
    return context
