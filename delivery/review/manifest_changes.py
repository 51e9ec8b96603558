"""How the rendered manifests of two commits differ, object by object."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from components.feature_store import names as feature_store_names
from components.files import yaml_text
from components.kubernetes import naming
from delivery.identity import Identity, identity

_CONTEXT_LINES = 3
# Of a diff that is cut: its lines, and the characters of each.
_CUT_LINES, _CUT_CHARACTERS = 60, 200


@dataclass(frozen=True, kw_only=True)
class ManifestChange:
    """One object whose manifest differs; None where a commit does not render it."""

    object: Identity
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def model(self) -> str | None:
        """The model that the object belongs to; None for the stage's own."""
        labels = self._labels
        return labels.get(naming.NAME) if labels.get(naming.COMPONENT) == naming.MODEL_SERVER else None

    @property
    def store_part(self) -> str | None:
        """The part of the stage's feature store that the object belongs to; None for any other object."""
        labels = self._labels
        return (
            labels.get(naming.NAME)
            if labels.get(naming.COMPONENT) == feature_store_names.FEATURE_STORE
            else None
        )

    @property
    def kept(self) -> bool:
        """True where the base commit protects the object from deletion, because it holds data."""
        return self.before is not None and naming.is_kept(self.before)

    @property
    def unprotected(self) -> bool:
        """True where this commit renders the object, but no longer protects it from deletion."""
        return self.kept and self.after is not None and not naming.is_kept(self.after)

    @property
    def rolls(self) -> bool:
        """True where running pods are replaced by other ones."""
        before, after = (((one or {}).get("spec") or {}).get("template") for one in (self.before, self.after))
        return before is not None and after is not None and before != after

    @property
    def _labels(self) -> dict[str, str]:
        return ((self.before or self.after or {}).get("metadata") or {}).get("labels") or {}

    def diff(self) -> str:
        """The unified diff of both manifests as YAML, without the lines that name files."""
        old, new = (_lines(manifest) for manifest in (self.before, self.after))
        _, _, *lines = difflib.unified_diff(old, new, n=_CONTEXT_LINES, lineterm="")
        return "\n".join(lines)

    def cut_diff(self) -> str:
        """The same without the ends of long lines, and without the lines after the first 60."""
        lines = self.diff().split("\n")
        cut = [
            f"{line[:_CUT_CHARACTERS]}… {len(line) - _CUT_CHARACTERS} characters are left out"
            if len(line) > _CUT_CHARACTERS
            else line
            for line in lines[:_CUT_LINES]
        ]
        if missing := len(lines) - len(cut):
            cut.append(f"… {missing} lines are left out")
        return "\n".join(cut)


def manifest_changes(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]
) -> tuple[ManifestChange, ...]:
    """Every object whose manifest differs, in the order of their identities."""
    old, new = ({identity(m): m for m in manifests} for manifests in (before, after))
    return tuple(
        ManifestChange(object=name, before=old.get(name), after=new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def running_changes(change: ManifestChange) -> tuple[str, ...]:
    """The differences in an object's probes and resources; empty unless both commits render it."""
    if change.before is None or change.after is None:
        return ()
    old, new = (dict(_running(manifest)) for manifest in (change.before, change.after))
    return tuple(sorted(part for part in {*old, *new} if old.get(part) != new.get(part)))


def _running(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    pod = ((manifest.get("spec") or {}).get("template") or {}).get("spec")
    for container in (pod.get("containers") or ()) if isinstance(pod, dict) else ():
        name = container.get("name")
        yield f"resources of {name}", container.get("resources")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            yield f"{probe} of {name}", container.get(probe)


def _lines(manifest: dict[str, Any] | None) -> list[str]:
    # Not splitlines: YAML keeps characters in a text that splitlines treats as the end of a line.
    return [] if manifest is None else yaml_text.dump(manifest).removesuffix("\n").split("\n")
