"""Who may reach pods and whom they may reach is limited by NetworkPolicies."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.errors import Problem
from delivery.policies import address_ranges
from delivery.policies.manifest import Manifest, Pod, namespace_of, pod_of, selects
from delivery.policies.stage import StageRules

_KIND, _API = "NetworkPolicy", "networking.k8s.io/"
# The direction of traffic, its rules in a NetworkPolicySpec, and a rule's peers.
_DIRECTIONS = (("Ingress", "ingress", "from"), ("Egress", "egress", "to"))
_FIX = "keep network.enabled: true, the default, and name what the pods need under `network`"
_EVERYWHERE = ({"cidr": "0.0.0.0/0"}, {"cidr": "::/0"})
# Where metadata services listen: HTTP, and Azure's second port.
_METADATA_PORTS = (80, 32526)


def network_policy(manifests: Sequence[Manifest], stage: StageRules) -> Iterator[tuple[Manifest, Problem]]:
    """NetworkPolicies limit the ingress and the egress of every pod."""
    policies = [manifest for manifest in manifests if _is_policy(manifest)]
    for manifest in manifests:
        pod = pod_of(manifest)
        if pod is None:
            continue
        own = [one["spec"] for one in policies if _covers(one, manifest, pod)]
        for direction, rules, peers in _DIRECTIONS:
            limiting = [spec for spec in own if direction in _types(spec)]
            allowed = [rule for spec in limiting for rule in spec.get(rules) or ()]
            if not limiting:
                yield manifest, Problem(f"no NetworkPolicy limits its {direction.lower()}", _FIX)
            elif any(not rule.get(peers) and _everything(rule, direction) for rule in allowed):
                yield manifest, Problem(f"a NetworkPolicy allows all {direction.lower()}", _FIX)


def _everything(rule: Mapping[str, Any], direction: str) -> bool:
    """Whether a rule without peers is found here; `open_egress` finds egress to some ports of all addresses."""
    return direction == "Ingress" or not rule.get("ports")


def open_egress(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No NetworkPolicy of the models' namespaces lets pods connect to everyone."""
    own = _egress(manifest) if namespace_of(manifest) in stage.serving else ()
    ranges = address_ranges.reached(block for rule in own for block in _blocks(rule))
    if address_ranges.is_open(ranges):
        widest = ", ".join(str(part) for part in sorted(ranges, key=lambda part: part.prefixlen)[:3])
        yield Problem(
            f"lets its pods connect to everyone: {widest}",
            "name the addresses that they need under `network.egress`",
        )


def metadata_address(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No NetworkPolicy lets pods ask a cloud's metadata service, which gives out the credentials of the node."""
    asking = [rule for rule in _egress(manifest) if _reaches_metadata_port(rule)]
    reached = address_ranges.metadata(
        address_ranges.reached(block for rule in asking for block in _blocks(rule))
    )
    if reached:
        blocked = ", ".join(f"{address}/{address.max_prefixlen}" for address in reached)
        yield Problem(
            f"lets its pods reach a cloud's metadata service at {', '.join(map(str, reached))}",
            f"add except: [{blocked}] next to the cidr, or name smaller ranges",
        )


def _egress(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """The egress rules; `network_policy` finds what allows everything."""
    if _is_policy(manifest):
        for rule in manifest["spec"].get("egress") or ():
            if rule.get("to") or rule.get("ports"):
                yield rule


def _blocks(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The addresses that a rule allows, besides those of pods. Without peers it allows all of them."""
    if not rule.get("to"):
        yield from _EVERYWHERE
    for peer in rule.get("to") or ():
        if peer.get("ipBlock"):
            yield peer["ipBlock"]


def _reaches_metadata_port(rule: Mapping[str, Any]) -> bool:
    """A port without a number is all of them, and one with a name may be any."""
    ports = rule.get("ports") or ()
    return not ports or any(_has_port(port, number) for port in ports for number in _METADATA_PORTS)


def _has_port(port: Mapping[str, Any], number: int) -> bool:
    if port.get("protocol", "TCP") != "TCP":
        return False
    first = port.get("port")
    return not isinstance(first, int) or first <= number <= int(port.get("endPort") or first)


def _is_policy(manifest: Manifest) -> bool:
    return manifest["kind"] == _KIND and str(manifest["apiVersion"]).startswith(_API)


def _covers(policy: Manifest, manifest: Manifest, pod: Pod) -> bool:
    return namespace_of(policy) == namespace_of(manifest) and selects(
        policy["spec"].get("podSelector") or {}, pod.labels
    )


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    """What it limits. Where it does not say so: ingress, and egress if it has rules for it."""
    types: Sequence[str] = spec.get("policyTypes") or (
        ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    )
    return types
