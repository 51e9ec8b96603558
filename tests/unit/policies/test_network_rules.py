"""Open egress, metadata addresses and pods without NetworkPolicies are found; what is known and limited passes."""

from copy import deepcopy
from typing import Any

import pytest

from delivery.policies.address_ranges import is_open, metadata, reached
from tests.support.monitoring_stacks import Manifest, one
from tests.support.ruled import found

Rule = dict[str, Any]


def with_egress(objects: list[Manifest], *rules: Rule) -> list[Manifest]:
    changed = deepcopy(objects)
    one(changed, "NetworkPolicy", "a")["spec"]["egress"] += rules
    return changed


def to(cidr: str, *, ports: tuple[Any, ...] = (443,), holes: tuple[str, ...] = ()) -> Rule:
    blocks = [{"ipBlock": {"cidr": cidr, "except": list(holes)}}]
    return {"to": blocks, "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def policies(objects: list[Manifest]) -> set[str]:
    return {violation.policy for violation in found(objects)}


# Of IPv6, the last two reach all of IPv4 by NAT64.
WIDE = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/2",
    "8.0.0.0/7",
    "::/0",
    "2000::/3",
    "2001::/16",
    "64:ff9b::/96",
    "64:ff9b::/90",
]


@pytest.mark.parametrize("cidr", WIDE)
def test_egress_to_everyone_is_found(ruled_objects: list[Manifest], cidr: str) -> None:
    (violation,) = found(with_egress(ruled_objects, to(cidr)))

    assert violation.policy == "open-egress"
    assert violation.object == "NetworkPolicy ml-test/a"
    assert "lets its pods connect to everyone" in violation.problem.reason


def test_egress_to_everyone_in_parts_is_found(ruled_objects: list[Manifest]) -> None:
    halves = [to(f"{first}.0.0.0/8") for first in range(1, 9)]
    assert policies(with_egress(ruled_objects, *halves)) == {"open-egress"}


def test_a_hole_does_not_make_it_closed(ruled_objects: list[Manifest]) -> None:
    rule = to("0.0.0.0/0", holes=("10.0.0.0/8", "169.254.0.0/16"))
    assert policies(with_egress(ruled_objects, rule)) == {"open-egress"}


def test_a_rule_without_addresses_allows_all_of_them(ruled_objects: list[Manifest]) -> None:
    assert policies(with_egress(ruled_objects, {"ports": [{"port": 443}]})) == {"open-egress"}
    assert policies(with_egress(ruled_objects, {"to": [], "ports": [{"port": 443}]})) == {"open-egress"}
    assert policies(with_egress(ruled_objects, {})) == {"network-policy"}


KNOWN = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "fd00:1234::/48", "203.0.113.0/24", "52.216.0.0/15"]


@pytest.mark.parametrize("cidr", KNOWN)
def test_egress_to_known_addresses_passes(ruled_objects: list[Manifest], cidr: str) -> None:
    assert found(with_egress(ruled_objects, to(cidr, ports=(80, 443)))) == []


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        (to("169.254.169.254/32", ports=(80,)), "169.254.169.254"),
        (to("169.254.0.0/16", ports=(80,)), "169.254.169.254"),
        ({"to": to("169.254.0.0/16")["to"]}, "169.254.169.254"),
        (to("169.254.0.0/16", ports=("http",)), "169.254.169.254"),
        ({"to": to("169.254.0.0/16")["to"], "ports": [{"port": 1, "endPort": 1000}]}, "169.254.169.254"),
        ({"to": to("169.254.0.0/16")["to"], "ports": [{"protocol": "TCP"}]}, "169.254.169.254"),
        (to("fd00:ec2::254/128", ports=(80,)), "fd00:ec2::254"),
        (to("fd00::/8", ports=(80,)), "fd00:ec2::254"),
        (to("100.100.100.200/32", ports=(80,)), "100.100.100.200"),
        (to("168.63.129.16/32", ports=(32526,)), "168.63.129.16"),
        (to("64:ff9b::a9fe:a9fe/128", ports=(80,)), "169.254.169.254"),
    ],
)
def test_egress_to_metadata_is_found(ruled_objects: list[Manifest], rule: Rule, address: str) -> None:
    (violation,) = found(with_egress(ruled_objects, rule))

    assert violation.policy == "metadata-address"
    assert address in violation.problem.reason
    assert "except: [" in violation.problem.fix


@pytest.mark.parametrize(
    "rule",
    [
        to("169.254.0.0/16", ports=(80,), holes=("169.254.169.254/32",)),
        to("169.254.20.10/32", ports=(53,)),
        {"to": to("169.254.0.0/16")["to"], "ports": [{"protocol": "UDP", "port": 80}]},
        to("169.254.0.0/16", ports=(53,)),
    ],
)
def test_what_does_not_reach_metadata_passes(ruled_objects: list[Manifest], rule: Rule) -> None:
    assert found(with_egress(ruled_objects, rule)) == []


def test_a_hole_that_another_rule_fills_is_none(ruled_objects: list[Manifest]) -> None:
    hole = to("169.254.0.0/16", ports=(80,), holes=("169.254.169.254/32",))
    filled = to("169.254.169.0/24", ports=(80,))
    assert policies(with_egress(ruled_objects, hole, filled)) == {"metadata-address"}


def without_default_deny(objects: list[Manifest]) -> list[Manifest]:
    """The objects of a stage that does not own its namespace."""
    return [m for m in objects if m["metadata"]["name"] != "default-deny.ml-deployments"]


def test_a_pod_without_a_policy_is_found(ruled_objects: list[Manifest]) -> None:
    denied = [m for m in ruled_objects if (m["kind"], m["metadata"]["name"]) != ("NetworkPolicy", "a")]
    assert found(denied) == []
    changed = without_default_deny(denied)
    assert {v.problem.reason for v in found(changed)} == {
        "no NetworkPolicy limits its ingress",
        "no NetworkPolicy limits its egress",
    }


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"podSelector": {"matchLabels": {"app": "other"}}}, "no NetworkPolicy limits its ingress"),
        ({"policyTypes": ["Ingress"]}, "no NetworkPolicy limits its egress"),
        ({"ingress": [{}]}, "a NetworkPolicy allows all ingress"),
        ({"ingress": [{"ports": [{"port": 8080}]}]}, "a NetworkPolicy allows all ingress"),
        ({"egress": [{}]}, "a NetworkPolicy allows all egress"),
    ],
)
def test_a_policy_that_limits_nothing_is_found(
    ruled_objects: list[Manifest], spec: dict[str, Any], reason: str
) -> None:
    changed = without_default_deny(deepcopy(ruled_objects))
    one(changed, "NetworkPolicy", "a")["spec"].update(spec)

    reasons = {v.problem.reason: v for v in found(changed) if v.policy == "network-policy"}

    assert reasons[reason].object == "Deployment ml-test/a"


def test_ranges_are_read_together() -> None:
    assert is_open(reached([{"cidr": "1.0.0.0/8"}, {"cidr": "2.0.0.0/8"}]))
    assert not is_open(reached([{"cidr": "1.0.0.0/8"}, {"cidr": "10.0.0.0/8"}, {"cidr": "fc00::/7"}]))
    assert [str(part) for part in reached([{"cidr": "0.0.0.0/1"}, {"cidr": "128.0.0.0/1"}])] == ["0.0.0.0/0"]
    assert len(metadata(reached([{"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]))) == 6
    assert len(metadata(reached([{"cidr": "::/0"}]))) == 3
