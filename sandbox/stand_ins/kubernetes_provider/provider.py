"""The gRPC service of the Kubernetes plugin stand-in: Pulumi's resource life cycle on the Kubernetes API."""

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.stand_ins.kubernetes_provider.api import Api, Manifest
from sandbox.stand_ins.kubernetes_provider.awaits import AWAITED, Rollouts, verdict, wait_deleted
from sandbox.stand_ins.kubernetes_provider.changes import changes, drifted, needs_replacement
from sandbox.stand_ins.kubernetes_provider.errors import (
    FieldConflictError,
    NotFoundError,
    NotReadyError,
    ProviderError,
    abort_not_ready,
)
from sandbox.stand_ins.kubernetes_provider.kubeconfig import connection
from sandbox.stand_ins.kubernetes_provider.structs import from_struct, has_unknown, to_struct

DEFAULT_TIMEOUT_SECONDS = 600.0
_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "update": provider_pb2.PropertyDiff.UPDATE,
}
_DATA = ("data", "binaryData", "stringData", "immutable")
# Each kind is followed by the one that says the change needs a replacement.
_REPLACE = 1
Method = TypeVar("Method", bound=Callable[..., Any])


def _reporting(method: Method) -> Method:
    """Turns a ProviderError into the status the engine shows as it is."""

    @functools.wraps(method)
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except ProviderError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return call  # type: ignore[return-value]


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One explicit Kubernetes provider of a program."""

    def __init__(self) -> None:
        self._options: dict[str, Any] = {}
        self._api: Api | None = None
        self._rollouts: Rollouts | None = None
        self._cancelled = threading.Event()
        # The URNs whose objects the engine was told to replace.
        self._replaced: set[str] = set()

    def stop(self) -> None:
        """End every wait."""
        self._cancelled.set()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version="4.34.2")

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.stop()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A provider is never replaced: its objects have names of their own, whatever options it has."""
        return _diff_response(list(changes(from_struct(request.olds), from_struct(request.news))), "")

    @_reporting
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        options = from_struct(request.args)
        self._options = {
            key: {"true": True, "false": False}.get(value, value) for key, value in options.items()
        }
        self._api = Api(connection(options.get("kubeconfig"), options.get("context")), self._cancelled)
        self._api.require_sandbox()
        self._rollouts = Rollouts(self._api, self._cancelled)
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.news)
        failures = []
        if not inputs.get("metadata", {}).get("name"):
            reason = "is required: this stand-in for the Kubernetes plugin makes no random names"
            failures = [provider_pb2.CheckFailure(property="metadata.name", reason=reason)]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        found = list(changes(old, new))
        # The data of an object that says it is immutable needs another object.
        fixed = old.get("immutable") is True and any(path.startswith(_DATA) for path, _ in found)
        response = _diff_response(found, new["kind"], _DATA if fixed else ())
        if response.replaces:
            self._replaced.add(request.urn)
        return response

    @_reporting
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.properties)
        upsert = bool(self._options.get("upsertExistingObjects"))
        if not upsert and not request.preview and self._cluster.read(inputs) is not None:
            raise ProviderError(f"{_identifier(inputs)} already exists")
        if request.preview and request.urn in self._replaced and self._cluster.read(inputs) is not None:
            # The old object is still there, and the server would refuse to change it in place; it goes first.
            return provider_pb2.CreateResponse(properties=request.properties)
        # What is created is not in the state, so no refresh can show who owns the fields of one that is there.
        live = self._deploy(request, context, inputs, request.properties, {}, force=upsert)
        return provider_pb2.CreateResponse(
            id="" if request.preview else _identifier(inputs), properties=to_struct(live)
        )

    @_reporting
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs, old = from_struct(request.news), from_struct(request.old_inputs)
        live = self._deploy(request, context, inputs, request.news, old, force=False)
        return provider_pb2.UpdateResponse(properties=to_struct(live))

    @_reporting
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.inputs) or imported(request.urn, request.id)
        live = self._cluster.read(inputs)
        if live is None:
            return provider_pb2.ReadResponse()
        live = _without_managers(live)
        found = to_struct(drifted(inputs, live))
        if inputs["kind"] in AWAITED and not _skips_await(inputs) and verdict(live) == "failed":
            # A refresh must not forget that a rollout failed: the next update tries again.
            assert self._rollouts is not None
            error = NotReadyError(self._rollouts.explain(live), live)
            abort_not_ready(context, identifier=request.id, inputs=found, error=error)
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(live), inputs=found)

    @_reporting
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.old_inputs) or from_struct(request.properties)
        uid = self._cluster.delete(inputs)
        if uid is not None and not _skips_await(inputs):
            wait_deleted(self._cluster, inputs, uid, _timeout(request, inputs), self._cancelled)
        return empty_pb2.Empty()

    @property
    def _cluster(self) -> Api:
        if self._api is None:
            raise ProviderError("the provider is not configured")
        return self._api

    def _deploy(
        self,
        request: Any,
        context: grpc.ServicerContext,
        inputs: Manifest,
        properties: struct_pb2.Struct,
        old: Manifest,
        *,
        force: bool,
    ) -> Manifest:
        """Apply an object and wait for it; a preview asks the server what it would do."""
        if request.preview and has_unknown(inputs):
            return inputs
        try:
            live = self._apply(inputs, old, force=force, dry_run=request.preview)
        except NotFoundError as error:
            # The namespace is created in the same update.
            if request.preview:
                return inputs
            raise ProviderError(
                f"{error}. Fix: run `pulumi up --refresh`, which creates again what is gone from the cluster"
            ) from error
        if "deletionTimestamp" in live["metadata"] and not request.preview:
            # An earlier run was killed while it deleted this one.
            uid = live["metadata"]["uid"]
            wait_deleted(self._cluster, inputs, uid, _timeout(request, inputs), self._cancelled)
            live = self._apply(inputs, old, force=force, dry_run=False)
        if request.preview or inputs["kind"] not in AWAITED or _skips_await(inputs):
            return _without_managers(live)
        assert self._rollouts is not None
        try:
            ready = self._rollouts.wait(live, _timeout(request, inputs))
        except NotReadyError as error:
            error.live = _without_managers(error.live)
            abort_not_ready(context, identifier=_identifier(inputs), inputs=properties, error=error)
        return _without_managers(ready)

    def _apply(self, inputs: Manifest, old: Manifest, *, force: bool, dry_run: bool) -> Manifest:
        """Apply, and take over fields of other managers where that was asked for or a refresh has shown them."""
        annotations = _annotations(inputs)
        manager = annotations.get("pulumi.com/patchFieldManager", "pulumi-kubernetes")
        asked = bool(self._options.get("enablePatchForce")) or _is_true(
            annotations.get("pulumi.com/patchForce")
        )
        try:
            return self._cluster.apply(inputs, manager=manager, force=force or asked, dry_run=dry_run)
        except FieldConflictError as error:
            live = self._cluster.read(inputs)
            if old and live is not None and not any(changes(old, drifted(old, live))):
                # What the other manager wrote is in the state: a refresh recorded it, and the diff showed it.
                return self._cluster.apply(inputs, manager=manager, force=True, dry_run=dry_run)
            raise ProviderError(
                f"Server-Side Apply field conflict detected. The object {_identifier(inputs)}, which field manager "
                f'"{manager}" applies, was changed by another one: {error}\nFix: run `pulumi up --refresh`, which '
                'shows the change and takes it back, or set the annotation pulumi.com/patchForce: "true" or the '
                "provider's enablePatchForce to take the fields over"
            ) from error


def imported(urn: str, identifier: str) -> Manifest:
    """What names an object that `pulumi import` asks for: the type in its URN, and `namespace/name`.

    Args:
        urn: Ends in `::kubernetes:apps/v1:Deployment::<name of the resource>`.
        identifier: `name` or `namespace/name`.
    """
    version, kind = urn.split("::")[2].rpartition("$")[2].split(":")[1:3]
    namespace, _, name = identifier.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version.removeprefix("core/"), "kind": kind, "metadata": metadata}


def _annotations(inputs: Manifest) -> dict[str, Any]:
    return inputs["metadata"].get("annotations") or {}


def _skips_await(inputs: Manifest) -> bool:
    return _is_true(_annotations(inputs).get("pulumi.com/skipAwait"))


def _is_true(value: Any) -> bool:
    """Annotations are text; options of the provider come as either."""
    return str(value).lower() == "true"


def _timeout(request: Any, inputs: Manifest) -> float:
    """The resource's custom timeout, else its annotation, else the official plugin's default."""
    annotation = str(_annotations(inputs).get("pulumi.com/timeoutSeconds", ""))
    return request.timeout or (float(annotation) if annotation.isdigit() else DEFAULT_TIMEOUT_SECONDS)


def _diff_response(
    found: list[tuple[str, str]], kind: str, fixed: tuple[str, ...] = ()
) -> provider_pb2.DiffResponse:
    detailed, replaces = {}, []
    for path, change in found:
        replace = bool(kind) and (needs_replacement(kind, path) or path.startswith(fixed))
        number = _KINDS[change] + (_REPLACE if replace else 0)
        detailed[path] = provider_pb2.PropertyDiff(kind=number, inputDiff=True)  # type: ignore[arg-type]
        if replace:
            replaces.append(path)
    some = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        diffs=sorted({path.partition(".")[0] for path, _ in found}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        replaces=replaces,
        # Names are fixed, so the old object has to go before the new one can come.
        deleteBeforeReplace=bool(replaces),
    )


def _identifier(inputs: Manifest) -> str:
    metadata = inputs["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _without_managers(live: Manifest) -> Manifest:
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    return {**live, "metadata": metadata}
