"""A deployed stage that is really watched: the operator's configuration in a real Prometheus, with real servers.

Real are the API server, the operator, Prometheus, Alertmanager, kube-state-metrics and the model servers. Stand-ins are
the pods' network (a proxy) and the kubelets' cAdvisor, since KWOK runs no containers.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.monitoring.recording_rules import INTERVAL_SECONDS
from sandbox.harness.clone import Clone
from sandbox.harness.prometheus import Prometheus, prometheus
from sandbox.harness.registries import EXAMPLE, EXAMPLE_PYTHON
from sandbox.harness.waiting import eventually
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from tests.integration.monitoring.alertmanager import Inbox, alertmanager
from tests.integration.monitoring.operator_made import operator_config, operator_rules
from tests.integration.monitoring.pod_network import PodNetwork
from tests.integration.monitoring.quickened import quickened
from tests.integration.monitoring.replicas import Replica, replicas

AVAILABILITY, LATENCY = "ModelAvailabilityBudgetBurn", "ModelLatencyBudgetBurn"
# Where the receiver of the owner's pages posts.
PAGER = "/team-language-pager"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a test uses.

    Attributes:
        speed: By how much every duration of rules and scrapes is shorter than in the files.
        folder: Where the servers' faults are set.
        model: A good model file.
    """

    project: Clone
    speed: int
    folder: Path
    model: Path
    servers: list[Replica]
    network: PodNetwork
    prometheus: Prometheus
    alertmanager: str
    inbox: Inbox


@contextmanager
def scene(project: Clone, folder: Path, inbox: Inbox, speed: int) -> Iterator[Scene]:
    """Simulate the deployed model `m000` of a project whose stack file installs a monitoring stack."""
    watch = f"{project.namespace}-watch"
    binaries = Path(project.environment["PATH"].split(":")[0])
    pods = pods_of(project, project.namespace)
    versions = [(pod["metadata"]["name"], _version(pod)) for pod in pods]
    model = trained_model(folder)
    with ExitStack() as stack:
        network = stack.enter_context(PodNetwork())
        servers = stack.enter_context(replicas(versions, model, folder))
        for pod, replica in zip(pods, servers, strict=True):
            network.hosts[pod["status"]["podIP"]] = replica.address
        metrics = stack.enter_context(_kube_state_metrics(project, watch, binaries, folder))
        (exporter,) = pods_of(project, watch, "app.kubernetes.io/name=kube-state-metrics")
        network.hosts[exporter["status"]["podIP"]] = metrics
        network.hosts |= _kubelets(project, pods)
        address = stack.enter_context(alertmanager(project, watch, binaries, folder, speed))
        config = _written(project, watch, folder, network.address, address, speed)
        _promtool(binaries, config)
        server = stack.enter_context(prometheus(binaries / "prometheus", config, folder))
        yield Scene(
            project=project,
            speed=speed,
            folder=folder,
            model=model,
            servers=servers,
            network=network,
            prometheus=server,
            alertmanager=address,
            inbox=inbox,
        )


def trained_model(folder: Path) -> Path:
    """Train the example's model, as its image does."""
    subprocess.run(
        [EXAMPLE_PYTHON, "train.py", "--output", folder],
        cwd=EXAMPLE,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder / "model.skops"


def pods_of(project: Clone, namespace: str, selector: str = "") -> list[dict[str, Any]]:
    """The pods of a namespace that a selector matches."""
    items: list[dict[str, Any]] = project.get("pods", namespace=namespace, selector=selector)["items"]
    return items


def _version(pod: dict[str, Any]) -> str:
    version: str = pod["metadata"]["labels"]["app.kubernetes.io/version"]
    return version


@contextmanager
def _kube_state_metrics(project: Clone, watch: str, binaries: Path, folder: Path) -> Iterator[str]:
    """Run the real exporter with the arguments of its Deployment, as the sandbox's administrator."""
    deployment = project.get("deployment", "kube-state-metrics", namespace=watch)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    wanted = [text for text in container["args"] if "port=" not in text]
    port, telemetry = free_port(), free_port()
    address = f"http://127.0.0.1:{port}"
    arguments: list[str | Path] = [
        binaries / "kube-state-metrics",
        *wanted,
        f"--kubeconfig={project.environment['KUBECONFIG']}",
        "--host=127.0.0.1",
        f"--port={port}",
        "--telemetry-host=127.0.0.1",
        f"--telemetry-port={telemetry}",
    ]
    with running(arguments, f"{address}/healthz", folder / "kube-state-metrics.log"):
        yield address


def _kubelets(project: Clone, pods: list[dict[str, Any]]) -> dict[str, Any]:
    """Stand in for cAdvisor, which needs containers: the series of each node's pods, with values that grow evenly."""
    found = {}
    for node in project.get("nodes")["items"]:
        address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        here = [p for p in pods if p["spec"]["nodeName"] == node["metadata"]["name"]]
        found[address] = lambda _, here=here: "".join(_cadvisor(pod) for pod in here)
    return found


def _cadvisor(pod: dict[str, Any]) -> str:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    labels = f'{{namespace="{namespace}",pod="{name}",container="server"}}'
    seconds = time.monotonic()
    values = {
        "container_cpu_usage_seconds_total": 0.5 * seconds,
        "container_memory_working_set_bytes": 3e8,
        "container_cpu_cfs_periods_total": 10 * seconds,
        "container_cpu_cfs_throttled_periods_total": 0.3 * seconds,
    }
    return "".join(f"{metric}{labels} {value}\n" for metric, value in values.items())


def _written(project: Clone, watch: str, folder: Path, proxy: str, alerts: str, speed: int) -> Path:
    """Write the operator's configuration and rules where Prometheus can run on them.

    Changed are the durations, and what exists in a pod only: paths, the proxy in place of the pods' network, plain HTTP
    without a token in place of the kubelets' TLS, and the address of Alertmanager in place of its discovery.
    """
    rules = folder / "rules"
    rules.mkdir()
    for name, text in operator_rules(project, watch).items():
        (rules / name).write_text(quickened(text, speed))
    config = operator_config(project, watch)
    interval = f"{INTERVAL_SECONDS * 1000 // speed}ms"
    config["global"] |= {"scrape_interval": interval, "evaluation_interval": interval}
    config["global"]["external_labels"].pop("prometheus_replica")
    config["rule_files"] = [str(rules / "*.yaml")]
    config["alerting"]["alertmanagers"] = [
        {"static_configs": [{"targets": [alerts.removeprefix("http://")]}], "api_version": "v2"}
    ]
    for scrape in config["scrape_configs"]:
        scrape |= {"proxy_url": proxy, "scheme": "http", "scrape_interval": interval}
        scrape["scrape_timeout"] = interval
        scrape.pop("authorization", None)
        scrape.pop("tls_config", None)
        for discovery in scrape["kubernetes_sd_configs"]:
            discovery["kubeconfig_file"] = project.environment["KUBECONFIG"]
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config).replace("$(SHARD)", "0"))
    return path


def _promtool(binaries: Path, config: Path) -> None:
    command = [str(binaries / "promtool"), "check", "config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def wait_for_state(scene: Scene, state: str, name: str, seconds: float, **labels: str) -> float:
    """Wait until an alert is `pending`, `firing` or `inactive`; returns after how many seconds it was."""
    further = {"pending": {"pending", "firing"}}.get(state, {state})
    took = eventually(
        lambda: scene.prometheus.alert_state(name, **labels) in further, seconds, f"{name} is {state}"
    )
    print(f"{name} {state} after {took:.1f} s, {took * scene.speed:.0f} s unhurried", file=sys.stderr)
    return took
