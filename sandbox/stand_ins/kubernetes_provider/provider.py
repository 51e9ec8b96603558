"""The gRPC service of the Kubernetes plugin stand-in: Pulumi's resource life cycle on the Kubernetes API."""

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.stand_ins.kubernetes_provider.api import Api, Manifest
from sandbox.stand_ins.kubernetes_provider.awaits import Rollouts, wait_deleted
from sandbox.stand_ins.kubernetes_provider.changes import changes, declared, needs_replacement
from sandbox.stand_ins.kubernetes_provider.errors import (
    NotFoundError,
    NotReadyError,
    ProviderError,
    abort_not_ready,
)
from sandbox.stand_ins.kubernetes_provider.kubeconfig import connection
from sandbox.stand_ins.kubernetes_provider.structs import from_struct, to_struct

DEFAULT_TIMEOUT_SECONDS = 600.0
_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "update": provider_pb2.PropertyDiff.UPDATE,
}
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
        self._unreachable = ""
        self._cancelled = threading.Event()

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
        self._api = Api(connection(options.get("kubeconfig"), options.get("context")))
        self._api.require_sandbox()
        self._rollouts = Rollouts(self._api, self._cancelled)
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.news)
        failures = []
        if "name" not in inputs.get("metadata", {}):
            failures = [provider_pb2.CheckFailure(property="metadata.name", reason="is required here")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        return _diff_response(list(changes(old, new)), new["kind"])

    @_reporting
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.properties)
        upsert = bool(self._options.get("upsertExistingObjects"))
        if not upsert and not request.preview and self._cluster.read(inputs) is not None:
            raise ProviderError(f"{_identifier(inputs)} already exists")
        live = self._apply(request, context, inputs, request.properties, force=upsert or self._force)
        return provider_pb2.CreateResponse(
            id="" if request.preview else _identifier(inputs), properties=to_struct(live)
        )

    @_reporting
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        live = self._apply(request, context, from_struct(request.news), request.news, force=self._force)
        return provider_pb2.UpdateResponse(properties=to_struct(live))

    @_reporting
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.inputs)
        live = self._cluster.read(inputs)
        if live is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=to_struct(_without_managers(live)),
            inputs=to_struct(declared(inputs, live)),
        )

    @_reporting
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_struct(request.old_inputs) or from_struct(request.properties)
        self._cluster.delete(inputs)
        wait_deleted(self._cluster, inputs, request.timeout or DEFAULT_TIMEOUT_SECONDS, self._cancelled)
        return empty_pb2.Empty()

    @property
    def _cluster(self) -> Api:
        if self._api is None:
            raise ProviderError("the provider is not configured")
        return self._api

    @property
    def _force(self) -> bool:
        return bool(self._options.get("enablePatchForce"))

    def _apply(
        self,
        request: Any,
        context: grpc.ServicerContext,
        inputs: Manifest,
        properties: struct_pb2.Struct,
        *,
        force: bool,
    ) -> Manifest:
        """Apply an object and wait for it; a preview asks the server what it would do."""
        annotations = inputs["metadata"].get("annotations", {})
        manager = annotations.get("pulumi.com/patchFieldManager", "pulumi-kubernetes")
        try:
            live = self._cluster.apply(inputs, manager=manager, force=force, dry_run=request.preview)
        except NotFoundError:
            # The namespace is created in the same update.
            if request.preview:
                return inputs
            raise
        if request.preview or inputs["kind"] != "Deployment" or annotations.get("pulumi.com/skipAwait"):
            return _without_managers(live)
        assert self._rollouts is not None
        try:
            ready = self._rollouts.wait(live, request.timeout or DEFAULT_TIMEOUT_SECONDS)
        except NotReadyError as error:
            error.live = _without_managers(error.live)
            abort_not_ready(context, identifier=_identifier(inputs), inputs=properties, error=error)
        return _without_managers(ready)


def _diff_response(found: list[tuple[str, str]], kind: str) -> provider_pb2.DiffResponse:
    detailed, replaces = {}, []
    for path, change in found:
        replace = bool(kind) and needs_replacement(kind, path)
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
