"""Refuses a rollout of devices for which the files do not say what happens while both versions exist."""

from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.model_files import LoadedModel
from components.loading.validation import problem_at

_SURGE: KeyPath = ("rollout", "maxSurge")


def rollout_problems(loaded: LoadedModel) -> list[Problem]:
    """A model with devices whose files do not choose between a free device and a replica less."""
    devices = loaded.settings.resources.devices
    if not devices or _SURGE in loaded.origins:
        return []
    device = " and ".join(devices)
    return [
        problem_at(
            _SURGE,
            f"is required with {device}: a replica of a new version that starts before an old one stops needs its own",
            "write rollout: {maxSurge: 0, maxUnavailable: 1} to stop a replica first, or rollout: {maxSurge: 1} where "
            f"{device} is free for one replica more",
            origins=loaded.origins,
            file=loaded.file,
            prefix=loaded.prefix,
            written=False,
        )
    ]
