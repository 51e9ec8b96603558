"""Registers components with Pulumi: the only place where objects become resources."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

import pulumi
from pulumi_kubernetes import Provider as KubernetesProvider

from components.kubernetes.objects import Component, KubernetesObject, Provider

# Pulumi uses the plugin that matches the installed package.
_PLUGIN_VERSION = version("pulumi-kubernetes")


def register(
    components: Iterable[Component], namespace_guard: Callable[[str], str | None] | None = None
) -> None:
    """Register components and everything in them, in their order.

    Args:
        components: The components.
        namespace_guard: Called with the name of each namespace before it is created; what it raises stops the
            update, and what it returns is a warning. A preview does not call it.
    """
    registering = _Registering(namespace_guard)
    for component in components:
        registering.component(component, None, ())


class _Registering:
    """Keeps what is already registered, for the objects that wait for it."""

    def __init__(self, namespace_guard: Callable[[str], str | None] | None) -> None:
        self._hooks: pulumi.ResourceHookBinding | None = None
        if namespace_guard is not None:
            hook = pulumi.ResourceHook("namespace-guard", _asking(namespace_guard))
            self._hooks = pulumi.ResourceHookBinding(before_create=[hook])
        self._provider: pulumi.ProviderResource | None = None
        self._resources: dict[KubernetesObject, pulumi.Resource] = {}

    def component(
        self, component: Component, parent: pulumi.Resource | None, inherited: tuple[KubernetesObject, ...]
    ) -> None:
        """Register a component; its children do not inherit what it waits for, so they get that, too."""
        after = (*inherited, *component.after)
        token = f"ml-deployments:index:{component.type}"
        own = pulumi.ComponentResource(token, component.name, None, self._options(parent, after))
        for child in component.children:
            match child:
                case Component():
                    self.component(child, own, after)
                case Provider():
                    self._provider = KubernetesProvider(
                        child.name, **child.inputs, opts=pulumi.ResourceOptions(parent=own)
                    )
                case KubernetesObject():
                    self._object(child, own, after)
        own.register_outputs({})

    def _object(
        self, one: KubernetesObject, parent: pulumi.Resource, inherited: tuple[KubernetesObject, ...]
    ) -> None:
        options = self._options(parent, (*inherited, *one.after))
        options.provider = self._provider
        options.version = _PLUGIN_VERSION
        options.custom_timeouts = _timeouts(one.timeouts)
        options.retain_on_delete = one.retain_on_delete or None
        options.ignore_changes = list(one.ignore_changes) or None
        if one.manifest["kind"] == "Namespace":
            options.hooks = self._hooks
        self._resources[one] = pulumi.CustomResource(_token(one), one.name, one.manifest, options)

    def _options(
        self, parent: pulumi.Resource | None, after: tuple[KubernetesObject, ...]
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, depends_on=[self._resources[one] for one in after])


def _asking(guard: Callable[[str], str | None]) -> Callable[[pulumi.ResourceHookArgs], None]:
    def ask(found: pulumi.ResourceHookArgs) -> None:
        if warning := guard((found.new_inputs or {})["metadata"]["name"]):
            pulumi.log.warn(warning)

    return ask


def _token(one: KubernetesObject) -> str:
    group = one.manifest["apiVersion"]
    return f"kubernetes:{group if '/' in group else f'core/{group}'}:{one.manifest['kind']}"


def _timeouts(seconds: Mapping[str, int]) -> pulumi.CustomTimeouts | None:
    return (
        pulumi.CustomTimeouts(**{name: f"{value}s" for name, value in seconds.items()}) if seconds else None
    )
