"""One class of drift: what someone does to a stage with kubectl, and where it shows."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where drift is created: a model of a stage. `kubectl` takes arguments and returns what it printed."""

    kubectl: Callable[..., str]
    stage: str
    namespace: str
    model: str

    def fill(self, text: str) -> str:
        """A text with the names of this place."""
        names = {"stage": self.stage, "namespace": self.namespace, "model": self.model}
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def run(self, command: tuple[str, ...]) -> str:
        """Run a kubectl command with the names of this place."""
        return self.kubectl(*(self.fill(word) for word in command))


@dataclass(frozen=True, kw_only=True)
class DriftCase:
    """One class of drift. In every text `{stage}`, `{namespace}` and `{model}` stand for the names of its place.

    Attributes:
        name: What docs/drift.md calls it.
        causes: The kubectl commands that bring it about, word by word.
        looks: The kubectl command that shows it. It prints something else once the drift is there, and what it printed
            before once the drift is healed.
        kind: The kind of the object that drifts.
        drift: What `delivery drift` calls it: changed, removed, added, deleted or extra.
        field: The field `delivery drift` names; empty for a whole object.
        healable: False for what `delivery drift --heal` reports and leaves as it is.
    """

    name: str
    causes: tuple[tuple[str, ...], ...]
    looks: tuple[str, ...]
    kind: str
    drift: str
    field: str = ""
    healable: bool = True

    def cause(self, place: Place) -> None:
        """Create the drift."""
        for command in self.causes:
            place.run(command)

    def look(self, place: Place) -> str:
        """The value in the cluster at the place of the drift."""
        return place.run(self.looks)
