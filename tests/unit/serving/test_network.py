"""Name servers, meshes and protocols in the NetworkPolicies of a stage."""

from pathlib import Path
from typing import Any

from tests.support.projects import GOOD_STACK, MODEL, named, project
from tests.support.rich_stages import RICH_STAGES

MESH = "  ml-deployments:serviceMesh: {port: 15008, probesFrom: 169.254.7.127/32}\n"
PEERS = (
    "network:\n  clients: [{labels: {app: web}}]\n"
    "  egress: [{pods: {labels: {app: cache}}, ports: [6379]}, {cidr: 10.0.0.0/8, ports: [53], protocol: UDP}]\n"
)


def policy(folder: Path, more: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = named(project(folder, GOOD_STACK + more, a=MODEL + PEERS))["NetworkPolicy a"][
        "spec"
    ]
    return spec


def ports(rules: list[dict[str, Any]]) -> list[list[tuple[str, int]]]:
    return [[(port["protocol"], port["port"]) for port in rule["ports"]] for rule in rules]


def test_name_servers_are_the_cluster_s_unless_the_stage_names_others(tmp_path: Path) -> None:
    (default, *_) = policy(tmp_path / "default")["egress"]
    assert default["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    dns = (
        "  ml-deployments:dns:\n"
        "    - {cidr: 169.254.20.10/32}\n"
        "    - {pods: {namespace: openshift-dns, labels: {dns: default}}, port: 5353}\n"
    )
    cache, pods, *_ = policy(tmp_path / "named", dns)["egress"]
    assert cache["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]
    assert ports([cache, pods]) == [[("UDP", 53), ("TCP", 53)], [("UDP", 5353), ("TCP", 5353)]]


def test_egress_has_a_protocol(tmp_path: Path) -> None:
    *_, last = policy(tmp_path)["egress"]
    assert ports([last]) == [[("UDP", 53)]]


def test_a_mesh_s_tunnel_is_open_between_pods_and_only_there(tmp_path: Path) -> None:
    spec = policy(tmp_path, MESH)
    clients, scrapers, probes = spec["ingress"]
    tunnel = ("TCP", 15008)
    assert ports([clients, scrapers]) == [[("TCP", 8080), tunnel]] * 2
    assert (probes["from"], ports([probes])) == (
        [{"ipBlock": {"cidr": "169.254.7.127/32"}}],
        [[("TCP", 8080)]],
    )
    dns, pods, addresses = ports(spec["egress"])
    assert (pods, addresses) == ([("TCP", 6379), tunnel], [("UDP", 53)])
    assert tunnel in dns


def test_every_part_of_a_feature_store_has_the_stage_s_name_servers_and_mesh(tmp_path: Path) -> None:
    RICH_STAGES["features-operator"].write(tmp_path / "project")
    found = named(tmp_path / "project")
    specs = [m["spec"] for name, m in found.items() if name.startswith("NetworkPolicy feature")]
    assert len(specs) == 4
    for spec in specs:
        for rule in (*spec["ingress"], *spec.get("egress", ())):
            peers = rule.get("from") or rule.get("to") or []
            tunnelled = 15008 in [port["port"] for port in rule["ports"]]
            assert tunnelled is all("ipBlock" not in peer for peer in peers)
