"""What a model's files say of its pods that is valid and easily overlooked."""

from collections.abc import Iterator

from components.runtimes.table import RUNTIMES
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings


def serving_notes(stack: StackSettings) -> list[str]:
    """A line for each model with devices about its releases, and for each that seems to have nothing to serve."""
    return [
        f"{stack.stage}: {model.name} {note}"
        for model in stack.models
        for note in (*release_of_devices(model), *_nothing_to_serve(model))
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


def _nothing_to_serve(model: ModelSettings) -> Iterator[str]:
    given = model.env or model.env_from or model.mounts or model.features
    if RUNTIMES[model.runtime].bare and not given and model.network.enabled and not model.network.egress:
        yield (
            f"runs {model.runtime.value} and has no env, envFrom, mounts or network.egress: "
            "it serves only what its image contains"
        )
