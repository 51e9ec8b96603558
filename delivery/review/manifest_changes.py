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
_SECURITY_LABELS = "pod-security.kubernetes.io/"


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


def safety_changes(change: ManifestChange) -> tuple[str, ...]:
    """The differences in an object's security, probes and resources; empty unless both commits render it."""
    if change.before is None or change.after is None:
        return ()
    old, new = (dict(_safety(manifest)) for manifest in (change.before, change.after))
    return tuple(sorted(part for part in {*old, *new} if old.get(part) != new.get(part)))


def _safety(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    kind, spec = manifest["kind"], manifest.get("spec") or {}
    if kind == "Namespace":
        labels = (manifest["metadata"].get("labels") or {}).items()
        yield "pod security standard", {k: v for k, v in labels if k.startswith(_SECURITY_LABELS)}
    if kind == "NetworkPolicy":
        yield "network access", spec
    pod = (spec.get("template") or {}).get("spec")
    if not isinstance(pod, dict):
        return
    yield "security context of the pod", pod.get("securityContext")
    yield "service account", (pod.get("serviceAccountName"), pod.get("automountServiceAccountToken"))
    for container in pod.get("containers") or ():
        name = container.get("name")
        yield f"resources of {name}", container.get("resources")
        yield f"security context of {name}", container.get("securityContext")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            yield f"{probe} of {name}", container.get(probe)


def _lines(manifest: dict[str, Any] | None) -> list[str]:
    # Not splitlines: YAML keeps characters in a text that splitlines treats as the end of a line.
    return [] if manifest is None else yaml_text.dump(manifest).removesuffix("\n").split("\n")
