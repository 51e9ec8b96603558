"""The Kubernetes API over pooled connections: apply, read, delete, list, with the errors users see."""

import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import urllib3

from sandbox.stand_ins.kubernetes_provider.errors import NotFoundError, ProviderError
from sandbox.stand_ins.kubernetes_provider.kubeconfig import Connection

MARKER = "/api/v1/namespaces/kube-system/configmaps/ml-deployments-sandbox"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CONNECTIONS = 64
# Once it answered, an API server that restarts is waited for; one that never did is not there.
RESTART_SECONDS = 60.0
FIRST_ANSWER_SECONDS = 3.0
_HTTP_NOT_FOUND, _HTTP_CONFLICT, _HTTP_TOO_MANY = 404, 409, 429
_OK = range(200, 300)

Manifest = dict[str, Any]


class Api:
    """One cluster's API server, which must be the sandbox's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answered = False
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            ca_certs=connection.ca_file,
            cert_file=connection.client_certificate,
            key_file=connection.client_key,
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
            ProviderError: refused, or another manager owns a field and `force` is false.
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

    def delete(self, manifest: Manifest) -> None:
        """Delete an object and what depends on it; one that is not there counts as deleted."""
        body = {"propagationPolicy": "Foreground"}
        try:
            self._call("DELETE", self.path(manifest), body, "application/json")
        except NotFoundError:
            return

    def list(self, api_version: str, kind: str, namespace: str, selector: str = "") -> list[Manifest]:
        """The objects of a kind in a namespace, from the server's cache."""
        manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}
        query = f"?resourceVersion=0&labelSelector={selector}"
        items: list[Manifest] = self._call("GET", self.path(manifest) + query)["items"]
        return items

    def path(self, manifest: Manifest) -> str:
        """The object's path, or its kind's when it has no name.

        Raises:
            ProviderError: the cluster has no such kind.
        """
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        with self._lock:
            if kind not in self._kinds.get(version, {}):
                self._kinds[version] = self._discover(root)
            found = self._kinds[version].get(kind)
        if found is None:
            raise ProviderError(
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
        data: Manifest = json.loads(response.data) if response.data else {}
        if response.status in _OK:
            return data
        message = data.get("message") or f"HTTP {response.status}"
        if response.status == _HTTP_NOT_FOUND:
            raise NotFoundError(message)
        if response.status == _HTTP_CONFLICT:
            message = (
                f"{message}\nAnother field manager changed these fields. Fix: run `pulumi up --refresh`, or set "
                "the annotation pulumi.com/patchForce to take the fields over"
            )
        raise ProviderError(message)

    def _request(self, method: str, path: str, body: Manifest | None, content: str) -> Any:
        patience = RESTART_SECONDS if self._answered else FIRST_ANSWER_SECONDS
        deadline, pause = time.monotonic() + patience, 0.1
        while True:
            reason = ""
            try:
                response = self._pool.request(
                    method,
                    self._connection.server + path,
                    body=None if body is None else json.dumps(body),
                    headers={"Content-Type": content} if content else None,
                )
            except urllib3.exceptions.HTTPError as error:
                reason = str(error)
            else:
                # A server that is starting up refuses for a moment what it will grant.
                if response.status not in {_HTTP_TOO_MANY, 500, 503} and not self._starting(response.status):
                    self._answered = True
                    return response
                reason = f"HTTP {response.status}"
            if time.monotonic() + pause > deadline:
                raise ProviderError(
                    f"cannot reach the cluster at {self._connection.server} (context "
                    f"{self._connection.context}): {reason}. Fix: start it (`python -m sandbox up`), or correct "
                    "the context"
                )
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _starting(self, status: int) -> bool:
        return self._answered and status in {401, 403}
