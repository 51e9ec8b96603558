"""Real nodes: which kind a sandbox gets, what the parts of a node read, and what must not be left behind."""

import ipaddress
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from components.errors import UserError
from components.settings.network import CLUSTER_DNS
from sandbox.machine.paths import SandboxPaths
from sandbox.nodes import able, cgroups
from sandbox.nodes.choice import Kind, choose
from sandbox.nodes.configs import MIRROR, etc_files, kubeconfig_of
from sandbox.nodes.dns import dns_objects
from sandbox.nodes.images import COREDNS, PAUSE
from sandbox.nodes.plan import DNS_SERVICE, NODES, PODS_RANGE, WORLD_ADDRESS

NODE = NODES[0]
FILES = etc_files(NODE, "kubeconfig", "/ml-deployments-0a1b2c3d/worker-1")


@pytest.mark.parametrize(
    ("wanted", "present", "reasons", "kind"),
    [
        (None, None, [], Kind.REAL),
        (None, None, ["no namespaces"], Kind.SIMULATED),
        (Kind.REAL, None, [], Kind.REAL),
        (Kind.SIMULATED, None, [], Kind.SIMULATED),
        (None, Kind.SIMULATED, [], Kind.SIMULATED),
        (None, Kind.REAL, ["no namespaces"], Kind.REAL),
        (Kind.REAL, Kind.REAL, [], Kind.REAL),
    ],
)
def test_a_sandbox_keeps_its_nodes_and_a_new_one_has_real_ones_where_it_can(
    wanted: Kind | None, present: Kind | None, reasons: list[str], kind: Kind
) -> None:
    chosen, said = choose(wanted, present, lambda: reasons)
    assert chosen is kind
    assert said == (reasons if present is None else [])


@pytest.mark.parametrize("wanted", Kind)
def test_another_kind_than_it_has_is_refused_with_the_fix(wanted: Kind) -> None:
    (present,) = set(Kind) - {wanted}
    with pytest.raises(UserError) as error:
        choose(wanted, present, lambda: pytest.fail("asked"))
    assert f"`--nodes {wanted}`" in error.value.reason
    assert "python -m sandbox down" in error.value.fix


def test_a_machine_that_cannot_says_every_reason() -> None:
    with pytest.raises(UserError) as error:
        choose(Kind.REAL, None, lambda: ["nft is not installed", "no cgroup can be created"])
    assert "nft is not installed" in str(error.value)
    assert "no cgroup can be created" in str(error.value)
    assert "--nodes simulated" in error.value.fix


def test_simulated_nodes_ask_nothing_of_the_machine() -> None:
    assert choose(Kind.SIMULATED, None, lambda: pytest.fail("asked")) == (Kind.SIMULATED, [])


def test_missing_programs_are_all_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (reason,) = able.why_not(tmp_path)
    assert {"unshare", "nsenter", "ip"} <= set(reason.replace(",", "").split())
    assert "install util-linux and iproute2" in reason


def test_a_machine_without_namespaces_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/bin/true")
    monkeypatch.setattr(able, "_works", lambda _: False)
    (reason,) = able.why_not(tmp_path)
    assert "namespaces cannot be created: run it as root" in reason


def test_every_node_has_its_own_addresses_in_two_zones() -> None:
    ranges = [ipaddress.IPv4Network(node.pods) for node in NODES]
    addresses = [ipaddress.IPv4Address(node.address) for node in NODES]
    assert len(set(ranges)) == len(set(addresses)) == len({node.link for node in NODES}) == 3
    assert all(each.subnet_of(ipaddress.IPv4Network(PODS_RANGE)) for each in ranges)
    assert not any(
        address in each for each in ranges for address in (*addresses, ipaddress.IPv4Address(WORLD_ADDRESS))
    )
    assert len({node.zone for node in NODES}) == 2
    # The kernel's limit is 15 characters.
    assert all(len(node.link) <= 15 for node in NODES)


def test_every_registry_is_the_mirror_and_no_other_is_asked() -> None:
    hosts = tomllib.loads(FILES["containerd/certs.d/_default/hosts.toml"])
    assert hosts["server"] == MIRROR
    assert list(hosts["host"]) == [MIRROR]
    assert hosts["host"][MIRROR]["capabilities"] == ["pull", "resolve"]


def test_containerd_finds_what_it_starts() -> None:
    config = tomllib.loads(FILES["containerd/config.toml"])
    plugins = config["plugins"]
    runtime = plugins["io.containerd.cri.v1.runtime"]
    assert plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == PAUSE.reference
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/opt/runc/runc"
    assert runtime["cni"]["conf_dir"] == "/etc/cni/net.d"
    assert len(config["grpc"]["address"]) < 108


def test_the_kubelet_refuses_who_has_no_certificate_or_right() -> None:
    kubelet = yaml.safe_load(FILES["kubernetes/kubelet.yaml"])
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["authorization"]["mode"] == "Webhook"
    assert kubelet["cgroupRoot"] == "/ml-deployments-0a1b2c3d/worker-1"
    assert kubelet["clusterDNS"] == [DNS_SERVICE]


def test_the_pods_of_a_node_get_addresses_of_its_range() -> None:
    (plugin,) = json.loads(FILES["cni/net.d/10-pods.conflist"])["plugins"]
    assert plugin["ipam"]["ranges"] == [[{"subnet": NODE.pods}]]


def test_a_kubeconfig_is_complete_in_itself() -> None:
    config = yaml.safe_load(kubeconfig_of("https://10.244.255.1:6443", b"ca", b"certificate", b"key"))
    assert config["clusters"][0]["cluster"] == {
        "server": "https://10.244.255.1:6443",
        "certificate-authority-data": "Y2E=",
    }
    assert config["current-context"] == config["contexts"][0]["name"]


def test_coredns_is_what_the_stages_let_their_pods_ask() -> None:
    found = {each["kind"]: each for each in dns_objects()["items"]}
    service, deployment = found["Service"], found["Deployment"]
    (dns,) = CLUSTER_DNS
    assert dns.pods is not None
    pod = deployment["spec"]["template"]
    assert deployment["metadata"]["namespace"] == dns.pods.namespace
    assert pod["metadata"]["labels"] == dns.pods.labels == service["spec"]["selector"]
    assert service["spec"]["clusterIP"] == DNS_SERVICE
    assert pod["spec"]["containers"][0]["image"] == COREDNS.reference
    assert {port["port"] for port in service["spec"]["ports"]} == {53}


def test_cgroups_are_found_in_both_versions() -> None:
    lines = (
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
        "42 31 0:39 / /proc rw - proc proc rw\n"
    )
    assert cgroups.hierarchies(lines) == [Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/unified")]


def test_two_checkouts_have_two_cgroups(tmp_path: Path) -> None:
    names = {cgroups.name_of(SandboxPaths(checkout=tmp_path / name)) for name in ("one", "other")}
    assert len(names) == 2


def test_only_the_own_cgroup_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchies", lambda: [tmp_path / "cpu", tmp_path / "memory"])
    for hierarchy in ("cpu", "memory"):
        (tmp_path / hierarchy / "other").mkdir(parents=True)
    cgroups.create("own/worker-1")
    (tmp_path / "memory" / "own" / "worker-1" / "kubepods" / "pod").mkdir(parents=True)
    cgroups.remove("own")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cpu", "memory", "other", "other"]
