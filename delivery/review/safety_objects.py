"""What guards the objects of a stage: images, volumes, secrets, security, network and rights, in two commits."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.settings.namespaces import PodSecurity
from delivery.policies.manifest import namespace_of, pod_of
from delivery.review.manifest_changes import ManifestChange
from delivery.review.safety import LONGEST_ALONE, SafetyChange

Facts = Mapping[str, list[str]]
# Wherever they are in an object: also in the resources of an operator, which makes pods of them.
_GUARDED = frozenset(
    {
        "automountServiceAccountToken",
        "command",
        "dnsConfig",
        "envFrom",
        "hostAliases",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "hostUsers",
        "image",
        "imagePullSecrets",
        "priorityClassName",
        "runtimeClassName",
        "secretKeyRef",
        "secretName",
        "secretRef",
        "secrets",
        "securityContext",
        "serviceAccountName",
        "shareProcessNamespace",
        "tolerations",
        "volumeMounts",
        "volumes",
    }
)
# Kinds of which everything guards something.
_GUARDS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "LimitRange",
        "MutatingWebhookConfiguration",
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
# Without them more is allowed.
_LIMITS = _GUARDS - {
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "Role",
    "RoleBinding",
    "Secret",
    "ServiceAccount",
}
_NAMES = frozenset({"apiVersion", "kind"})
# Their schemas have fields of the same names.
_NOT_READ = frozenset({"CustomResourceDefinition"})
_OF_SERVICE = frozenset({"externalIPs", "externalName", "loadBalancerSourceRanges", "nodePort", "type"})
_METADATA = "metadata."
# A cloud gives rights to an account by an annotation.
_GUARDING_METADATA = ("metadata.labels.pod-security.kubernetes.io/", "metadata.annotations.")
_ENFORCED = "metadata.labels.pod-security.kubernetes.io/enforce"
# From the strictest.
_STANDARDS = tuple(str(standard) for standard in PodSecurity)
_TRUE_WEAKENS = (
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "privileged",
)
_EVERYONE = ('"0.0.0.0/0"', '"::/0"')
# In a new object, these are as the policies require them, or the policies report them.
_NOT_IN_NEW = ("securityContext", "volumeMounts", "command", "podSelector", "serviceAccountName")
_THERE = "present"


def object_changes(
    changes: Sequence[ManifestChange],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> Iterator[SafetyChange]:
    """A line for each value that guards objects and differs; objects with the same difference share one.

    Args:
        changes: The objects that differ.
        before: Every object of the base commit.
        after: Every object of this commit.
    """
    hosts = {_host(image) for manifest in before for image in _images(manifest)}
    found: dict[tuple[str, str, str | None, str | None, bool], list[str]] = defaultdict(list)
    for change in changes:
        kind = change.object.kind
        for key, old, new in _differences(change):
            if change.before is not None and change.after is None and not _is_missed(change.before, after):
                continue
            weakens = _weakens(kind, key, old, new, hosts)
            found[kind, key, old, new, weakens].append(str(change.object).removeprefix(f"{kind} "))
    for (kind, key, old, new, weakens), names in found.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        where = f": {key}" if key else ""
        yield SafetyChange(what=f"{kind} {names[0]}{more}{where}", before=old, after=new, weakens=weakens)


def _is_missed(removed: Mapping[str, Any], after: Sequence[Mapping[str, Any]]) -> bool:
    """True for a limit that was removed, and of a NetworkPolicy where pods are left that it would select."""
    if removed["kind"] != "NetworkPolicy":
        return removed["kind"] in _LIMITS
    selector = (removed.get("spec") or {}).get("podSelector") or {}
    wanted = (selector.get("matchLabels") or {}).items()
    pods = (pod_of(one) for one in after if namespace_of(one) == namespace_of(removed))
    return any(pod is not None and wanted <= pod.labels.items() for pod in pods)


def _differences(change: ManifestChange) -> Iterator[tuple[str, str | None, str | None]]:
    if change.after is None:
        yield "", _THERE, None
        return
    old, new = (_facts(manifest) for manifest in (change.before, change.after))
    for key in dict.fromkeys([*old, *new]):
        was, now = (
            [value for value in one.get(key, ()) if value not in other.get(key, ())]
            for one, other in ((old, new), (new, old))
        )
        if len(was) == len(now) == 1:
            yield key, was[0], now[0]
            continue
        yield from ((key, value, None) for value in was)
        yield from (
            (key, None, value) for value in now if change.before is not None or _told_of_new(key, value)
        )


def _told_of_new(key: str, value: str) -> bool:
    """True for what is worth a line in an object that is new: most of it is ordinary."""
    if key == _ENFORCED:
        return value != PodSecurity.RESTRICTED
    ordinary = value == "false" or key.startswith("metadata.") or any(part in key for part in _NOT_IN_NEW)
    return not ordinary and not value.startswith(('{"emptyDir"', '{"configMap"', '{"downwardAPI"'))


def _weakens(kind: str, key: str, old: str | None, new: str | None, hosts: set[str]) -> bool:
    if key == _ENFORCED:
        return new is None or _strictness(new) > _strictness(old)
    if new is None:
        return kind in _LIMITS and key in {"", "spec.policyTypes"}
    if _last(key) == "image":
        return old is not None or bool(hosts and _host(new) not in hosts)
    if kind == "NetworkPolicy" and (new == "{}" or any(everyone in new for everyone in _EVERYONE)):
        return True
    return (new == "true" and _last(key) in _TRUE_WEAKENS) or '"hostPath"' in new


def _strictness(standard: str | None) -> int:
    """0 for the strictest standard, which a namespace that is not there yet counts as; the most for an unknown one."""
    known = standard is None or standard in _STANDARDS
    return _STANDARDS.index(standard or _STANDARDS[0]) if known else len(_STANDARDS)


def _facts(manifest: Mapping[str, Any] | None) -> Facts:
    """What guards an object, by its path inside the object; of a list each item."""
    found: dict[str, list[str]] = defaultdict(list)
    if manifest is not None and manifest["kind"] not in _NOT_READ:
        kind = manifest["kind"]
        for key, value in (
            _leaves({k: v for k, v in manifest.items() if k not in _NAMES}, "")
            if kind in _GUARDS
            else _guarded({k: v for k, v in manifest.items() if k != "metadata"}, "", kind)
        ):
            if not key.startswith(_METADATA) or key.startswith(_GUARDING_METADATA):
                found[key].append(value)
    return found


def _guarded(value: Any, path: str, kind: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any part of an object
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _guarded(item, f"{path}[{_label(item, number)}]", kind)
    if not isinstance(value, dict):
        return
    for field, inner in value.items():
        where = f"{path}.{field}" if path else field
        if field == "image" and isinstance(inner, str):
            yield where, _repository(inner)
        elif field in _GUARDED or (kind == "Service" and field in _OF_SERVICE):
            yield from _leaves(inner, where)
        else:
            # What every pod template has in front says nothing.
            yield from _guarded(inner, "" if where in {"spec", "template"} else where, kind)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any part of an object
    """Each setting below a value: those of a mapping by name, and each item of a list, in parts where it is long."""
    if isinstance(value, dict):
        for field, inner in value.items():
            yield from _leaves(inner, f"{path}.{field}" if path else str(field))
    elif isinstance(value, list):
        for item in value:
            text = _text(item)
            if len(text) > LONGEST_ALONE:
                yield from _leaves(item, f"{path}[]")
            elif isinstance(item, dict) and isinstance(item.get("name"), str):
                yield f"{path}[{item['name']}]", _text({k: v for k, v in item.items() if k != "name"})
            else:
                yield path, text
    elif value is not None:
        yield path, _text(value)


def _label(item: Any, number: int) -> str:  # noqa: ANN401
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else str(number)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _images(manifest: Mapping[str, Any]) -> Iterator[str]:
    return (value for key, values in _facts(manifest).items() if _last(key) == "image" for value in values)


def _repository(image: str) -> str:
    """An image without its tag and digest: `registry.example.com:5000/team/model`."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _host(repository: str) -> str:
    """The registry of an image, as container runtimes read it: without a host it is Docker Hub."""
    first, slash, _ = repository.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
