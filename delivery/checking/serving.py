"""What a model's files say of its pods that is valid and easily overlooked."""

from collections.abc import Iterator

from components.kubernetes.staged_model import StagedModel
from components.runtimes.table import RUNTIMES
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings


def serving_notes(stack: StackSettings) -> list[str]:
    """A line for each model whose release needs devices, that seems to have nothing to serve, or that is elsewhere."""
    return [
        f"{stack.stage}: {model.name} {note}"
        for model in stack.models
        for note in (
            *release_of_devices(model),
            *_nothing_to_serve(model),
            *_own_namespace(model, stack),
            *_peers_elsewhere(model, stack),
        )
    ]


def release_of_devices(model: ModelSettings) -> Iterator[str]:
    """What a release of a model with devices needs, or stops, as the rest of a sentence; nothing for other models."""
    devices, rollout = model.resources.devices, model.rollout
    if not devices or model.replicas == 0:
        return
    # The Deployment's controller keeps at least this many, and starts at most so many more.
    surge = min(rollout.max_surge, model.replicas)
    if surge:
        needed = " and ".join(f"{count * surge:f} {name}" for name, count in devices.items())
        without = f"without them it fails after {rollout.progress_deadline_seconds} s"
        if rollout.max_unavailable:
            without = f"without them it replaces {rollout.max_unavailable} at a time"
        yield f"needs {needed} more during a release; {without}"
    elif rollout.max_unavailable >= model.replicas:
        yield "is not served during a release: with rollout.maxSurge: 0 all of its replicas stop first"


def _own_namespace(model: ModelSettings, stack: StackSettings) -> Iterator[str]:
    if model.pod_security is None:
        return
    needed = ", ".join(dict.fromkeys(_named_objects(model)))
    yield (
        f"is in a namespace of its own: {stack.namespace_of(model)}"
        f"{f'; its pods read {needed} there, and not in {stack.namespace}' if needed else ''}"
    )


def _peers_elsewhere(model: ModelSettings, stack: StackSettings) -> Iterator[str]:
    """Pods of a model in a namespace of its own that are named without it: the rule would allow nothing."""
    named = (*model.network.clients, *(one.pods for one in model.network.egress if one.pods is not None))
    for other in (StagedModel(each, stack) for each in stack.models if each.pod_security is not None):
        if any(peer.namespace is None and peer.labels.items() <= other.selector.items() for peer in named):
            yield (
                f"names pods of {other.name} without their namespace: write namespace: {other.namespace} next to labels"
            )


def _named_objects(model: ModelSettings) -> Iterator[str]:
    """The Secrets and ConfigMaps that a model's pods need, as `Secret tokens`."""
    for value in model.env.values():
        if value is not None and value.secret_key_ref is not None:
            yield f"Secret {value.secret_key_ref.name}"
        if value is not None and value.config_map_key_ref is not None:
            yield f"ConfigMap {value.config_map_key_ref.name}"
    for source in (*model.env_from, *model.mounts):
        yield f"ConfigMap {source.config_map}" if source.secret is None else f"Secret {source.secret}"
    yield from (f"Secret {name}" for name in model.image_pull_secrets)


def _nothing_to_serve(model: ModelSettings) -> Iterator[str]:
    given = model.env or model.env_from or model.mounts or model.features
    if RUNTIMES[model.runtime].bare and not given and model.network.enabled and not model.network.egress:
        yield (
            f"runs {model.runtime.value} and has no env, envFrom, mounts or network.egress: "
            "it serves only what its image contains"
        )
