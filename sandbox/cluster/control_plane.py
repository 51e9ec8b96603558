"""The control plane: etcd, API server, controller manager and scheduler, with KWOK simulating the kubelets."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from components.errors import UserError
from delivery.output import say
from sandbox.cluster.volumes import volume_objects
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths, cache
from sandbox.machine.processes import Component, end, recorded
from sandbox.nodes.plan import API_SERVICE, WORLD_ADDRESS
from sandbox.nodes.world import API, World

NAME = "sandbox"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
# 24 nodes of 32 cores have room for 700 replicas of 1 core.
NODES = 24
# With real nodes, only for pods that tolerate the taint.
NODES_BESIDE_REAL = 3
SIMULATED = "kwok.x-k8s.io/node=fake"
TAINT = f"{SIMULATED}:NoSchedule"
ZONES = ("zone-a", "zone-b", "zone-c")
# KWOK's nodes have no disk, and every container of the program asks for some.
_DISK = '.allocatable["ephemeral-storage"]="200Gi"'
# KWOK's default of /24 has room for 250 Services, and the next create hangs.
SERVICE_RANGE = "10.96.0.0/16"
START_SECONDS = 120
RESTART_SECONDS = 60


class Cluster:
    """The control plane of one checkout's sandbox.

    Args:
        paths: The sandbox.
        world: The network in which it runs, with real nodes; None for the machine's own, with simulated ones.

    Attributes:
        folder: Its data, certificates, logs and markers; removed with it.
    """

    def __init__(self, paths: SandboxPaths, world: World | None = None) -> None:
        self._paths, self._world = paths, world
        self.folder = paths.kwok / "clusters" / NAME

    def up(self) -> str:
        """Start it, or repair what is broken; returns what was done.

        Raises:
            UserError: it does not become ready.
        """
        if any(character.isspace() for character in str(self.folder)):
            raise UserError(
                f"The control plane cannot run in {self.folder}: KWOK splits its commands at white space",
                "move the checkout to a path without it",
            )
        if self.ready():
            if not self.furnished.is_file():
                self._furnish()
            return "running"
        # Free ports are found by trying, so two clusters must not search for them at the same time.
        with locked(cache() / "locks" / "ports", "another sandbox is starting"):
            if (self.folder / "kwok.yaml").is_file():
                say("The control plane is not healthy; restarting what does not run.", err=True)
                if self._restart():
                    self._furnish()
                    return "repaired"
                say("It cannot be repaired; creating it again. `make up` deploys again.", err=True)
            self.down()
            self._create()
        if not self.ready():
            raise self._not_ready()
        self._furnish()
        return "started"

    def ready(self) -> bool:
        """True when every component runs and the API server answers."""
        if any(component.pid is None for component in self.components()):
            return False
        try:
            return self.kubectl("get", "--raw", "/readyz", timeout=10).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def components(self) -> list[Component]:
        """The components and the processes that run them."""
        return [Component(name=name, pid=self._pid(name)) for name in COMPONENTS]

    def down(self) -> None:
        """End every process of the cluster and remove its files."""
        self.stop()
        shutil.rmtree(self._paths.kwok, ignore_errors=True)
        self._paths.kubeconfig.unlink(missing_ok=True)

    def kubectl(self, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run kubectl on it; the output is captured."""
        return subprocess.run(
            [self._paths.bin / "kubectl", f"--kubeconfig={self._paths.kubeconfig}", *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _restart(self) -> bool:
        """Start what does not run, then restart everything: a process that hangs runs, but does not serve."""
        for everything in (False, True):
            if everything:
                self.stop()
            elif all(component.pid is not None for component in self.components()):
                continue
            self._forget_dead()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._kwokctl("start", "cluster", "--wait=45s", timeout=RESTART_SECONDS)
            if self.ready():
                return True
        return False

    def stop(self) -> None:
        """End its processes and keep its files."""
        # A component that waits for another one may be killed: etcd's log survives it.
        pids = [component.pid for component in self.components() if component.pid is not None]
        end(pids, str(self.folder))

    def _create(self) -> None:
        self._paths.kwok.mkdir(parents=True, exist_ok=True)
        config = self._paths.kwok / "kwokctl.yaml"
        config.write_text(yaml.safe_dump(self._config()), encoding="utf-8")
        binaries = [
            f"--{name}-binary={self._paths.bin / name}" for name in COMPONENTS if name != "kwok-controller"
        ]
        done = self._kwokctl(
            "create",
            "cluster",
            f"--config={config}",
            "--runtime=binary",
            "--disable-qps-limits",
            *binaries,
            f"--kwok-controller-binary={self._paths.bin / 'kwok'}",
            f"--kubeconfig={self._paths.kubeconfig}",
            "--wait=60s",
        )
        if done.returncode != 0:
            self.down()
            raise UserError(
                "The control plane did not start",
                "run `python -m sandbox up` again",
                said=done.stderr[-2000:].strip(),
            )

    def _config(self) -> dict[str, object]:
        """What kwokctl reads: with real nodes the API server reaches them, and they and their pods reach it."""
        ranges = {"service-cluster-ip-range": SERVICE_RANGE}
        flags: dict[str, dict[str, object]] = {
            "kube-apiserver": {**ranges},
            "kube-controller-manager": {**ranges},
        }
        options: dict[str, object] = {"bindAddress": "127.0.0.1"}
        if self._world is not None:
            keys = self.folder / "pki"
            flags["kube-apiserver"] |= {
                "bind-address": "0.0.0.0",
                "advertise-address": WORLD_ADDRESS,
                "kubelet-client-certificate": keys / "admin.crt",
                "kubelet-client-key": keys / "admin.key",
                # Names of nodes are not in any DNS.
                "kubelet-preferred-address-types": "InternalIP",
            }
            # Otherwise KWOK would mark the pods of real nodes ready, and keep a dead node alive.
            flags["kwok-controller"] = {
                "manage-all-nodes": "false",
                "manage-nodes-with-annotation-selector": SIMULATED,
                "node-lease-duration-seconds": 40,
            }
            # As Kubernetes has them. KWOK's are longer, for thousands of nodes.
            flags["kube-controller-manager"] |= {
                "node-monitor-period": "5s",
                "node-monitor-grace-period": "50s",
            }
            options |= {
                # The same port outside the world, so that one kubeconfig works in both.
                "kubeApiserverPort": self._world.port(API),
                "kubeApiserverCertSANs": [WORLD_ADDRESS, API_SERVICE],
            }
        patches = [
            {"name": name, "extraArgs": [{"key": key, "value": str(value)} for key, value in each.items()]}
            for name, each in flags.items()
        ]
        return {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": options,
            "componentsPatches": patches,
        }

    def _furnish(self) -> None:
        """Simulated nodes, their zones, and volumes."""
        count = NODES if self._world is None else NODES_BESIDE_REAL
        steps = [self._kwokctl("scale", "node", f"--replicas={count}", f"--param={_DISK}")]
        if self._world is not None:
            # Only for pods that ask for them: a pod must not seem to run where a real one was expected.
            steps.append(self.kubectl("taint", "--overwrite", "node", "--selector=type=kwok", TAINT))
        for index, zone in enumerate(ZONES):
            names = [f"node-{number:06d}" for number in range(index, count, len(ZONES))]
            label = f"topology.kubernetes.io/zone={zone}"
            steps.append(self.kubectl("label", "--overwrite", "node", *names, label))
        volumes = self._paths.kwok / "volumes.json"
        volumes.write_text(json.dumps(volume_objects()), encoding="utf-8")
        steps.append(self.kubectl("apply", "--server-side", f"--filename={volumes}"))
        problems = [s.stderr.strip() for s in steps if s.returncode != 0 and "already exists" not in s.stderr]
        if problems:
            raise UserError(
                "The control plane runs, but its nodes could not be created",
                "run `python -m sandbox up` again",
                said="\n".join(problems),
            )
        self.furnished.touch()

    @property
    def furnished(self) -> Path:
        """The marker that an `up` was completed: a killed one leaves a control plane without nodes.

        It is as old as the last start or repair.
        """
        return self.folder / "furnished"

    def _pid(self, name: str) -> int | None:
        return recorded(self.folder / "pids" / f"{name}.pid", str(self.folder))

    def _forget_dead(self) -> None:
        """Remove the PID files of ended processes: KWOK takes an ended one for a running one, and would wait for it."""
        for component in self.components():
            if component.pid is None:
                (self.folder / "pids" / f"{component.name}.pid").unlink(missing_ok=True)

    def _kwokctl(self, *arguments: str, timeout: float = START_SECONDS) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(() if self._world is None else self._world.entered()),
                self._paths.bin / "kwokctl",
                f"--name={NAME}",
                *arguments,
            ],
            env={
                **os.environ,
                "KWOK_WORKDIR": str(self._paths.kwok),
                "PATH": f"{self._paths.bin}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _not_ready(self) -> UserError:
        dead = [component.name for component in self.components() if component.pid is None]
        logs = self.folder / "logs"
        return UserError(
            f"The control plane is not ready; not running: {', '.join(dead) or 'none'}",
            f"see the logs in {logs}, then run `python -m sandbox down` and `up` again",
        )
