"""Whether a stage may use its namespaces: one that exists is someone else's unless it has the stage's mark.

The program takes over objects that exist, since a killed run leaves some. A namespace that it took over would be
labelled, closed, and in the end deleted with everything in it.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from components.errors import Problem, SettingsError
from components.kubernetes import naming
from components.settings.stack import PROJECT, StackSettings
from delivery.drift.kubectl import Kubectl

Manifest = Mapping[str, Any]
_ENFORCE = "pod-security.kubernetes.io/enforce"


def is_marked(namespace: Manifest, stage: str) -> bool:
    """Whether a live namespace is the stage's: it has its label, or the annotation that only its program writes."""
    metadata = namespace["metadata"]
    annotations = metadata.get("annotations") or {}
    return _owner(namespace) == stage or naming.annotations(stage).items() <= annotations.items()


def foreign_namespaces(settings: StackSettings, live: Mapping[str, Manifest]) -> list[Problem]:
    """The namespaces that a stage would take over although someone else has made them.

    Args:
        settings: The stage.
        live: Namespaces as they are, by name.
    """
    return [
        _foreign(settings, field, live[name])
        for field, name in settings.owned_namespaces.items()
        if name in live and not is_marked(live[name], settings.stage)
    ]


def refuse_namespaces_of_others(settings: StackSettings, kubectl: Kubectl) -> None:
    """Refuse a stage that would take over a namespace, delete one that it gave away, or use one that does not fit.

    Raises:
        SettingsError: lists the namespaces.
        UserError: the cluster cannot be reached.
    """
    live = _live(kubectl, {*settings.owned_namespaces.values(), settings.namespace})
    problems = [*foreign_namespaces(settings, live), *_used(settings, live)]
    if problems:
        raise SettingsError(problems)


def namespace_guard(settings: StackSettings) -> Callable[[str], str | None]:
    """What the program asks before it creates a namespace: the cluster may have it already.

    Returns:
        A function from the namespace's name to what could not be checked, if anything; it raises a SettingsError where
        the namespace is someone else's, and a UserError where the cluster cannot be reached.
    """

    def check(name: str) -> str | None:
        if shutil.which("kubectl") is None:
            return (
                f"kubectl is not installed, so it is not known whether the namespace {name} is someone else's"
            )
        live = _live(Kubectl(settings.kube_context), {name})
        if problems := foreign_namespaces(settings, live):
            raise SettingsError(problems)
        return None

    return check


def _live(kubectl: Kubectl, names: Iterable[str]) -> dict[str, Manifest]:
    asked = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(names)]
    return {found["metadata"]["name"]: found for found in kubectl.get(asked)}


def _used(settings: StackSettings, live: Mapping[str, Manifest]) -> Iterator[Problem]:
    """What does not fit about the namespace of a stage that does not own it."""
    if settings.namespace_owned:
        return
    name, stage = settings.namespace, settings.stage
    if name not in live:
        yield _problem(settings, "namespace", "does not exist", "create it, or remove namespaceOwned: false")
        return
    if _owner(live[name]) == stage:
        yield _problem(
            settings,
            "namespace",
            "was made by this stage, and the next update would delete it with everything in it",
            "hand it over first: `pulumi state delete` of the URN that `pulumi stack --show-urns` has for it, "
            f"then `kubectl label namespace {name} {naming.STAGE}-`",
        )
    enforced = (live[name]["metadata"].get("labels") or {}).get(_ENFORCE)
    if enforced != settings.pod_security.value:
        yield _problem(
            settings,
            "namespace",
            f"enforces {enforced or 'no Pod Security Standard'}, and the stage's podSecurity is "
            f"{settings.pod_security.value}",
            "write the same podSecurity"
            if enforced
            else f"ask its owner for the label {_ENFORCE}={settings.pod_security.value}",
        )


def _owner(namespace: Manifest) -> str | None:
    owner: str | None = (namespace["metadata"].get("labels") or {}).get(naming.STAGE)
    return owner


def _foreign(settings: StackSettings, field: str, live: Manifest) -> Problem:
    name, owner = live["metadata"]["name"], _owner(live)
    whose = (
        "is not the stage's: it lacks" if owner is None else f"belongs to the stage {owner}: it does not have"
    )
    mark = f"{naming.STAGE}={settings.stage}"
    use = ", or write namespaceOwned: false to use it as it is" if field == "namespace" else ""
    return _problem(
        settings,
        field,
        f"exists and {whose} the label {mark}",
        f"name another one{use}; if the stage may change it, and delete it with everything in it: "
        f"`kubectl label namespace {name} {mark}{' --overwrite' if owner else ''}`",
    )


def _problem(settings: StackSettings, field: str, reason: str, fix: str) -> Problem:
    value = settings.owned_namespaces.get(field, settings.namespace)
    return Problem(
        file=f"Pulumi.{settings.stage}.yaml",
        field=f"config.{PROJECT}:{field}",
        value=value,
        reason=reason,
        fix=fix,
    )
