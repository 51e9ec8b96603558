"""Waits for rollouts and deletions, and says why a rollout is not ready."""

import threading
import time
from collections import defaultdict
from typing import Any

from sandbox.stand_ins.kubernetes_provider.api import Api
from sandbox.stand_ins.kubernetes_provider.errors import NotReadyError, ProviderError

POLL_SECONDS = 0.25
Manifest = dict[str, Any]


class Rollouts:
    """Follows Deployments; all waits of a namespace share one list call a poll."""

    def __init__(self, api: Api, cancelled: threading.Event) -> None:
        self._api = api
        self._cancelled = cancelled
        self._lock: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._seen: dict[str, tuple[float, dict[str, Manifest]]] = {}

    def wait(self, applied: Manifest, timeout: float) -> Manifest:
        """Wait until a Deployment serves the applied generation with all its replicas.

        Raises:
            NotReadyError: it failed, or the time is up; the message names the pods' reasons.
        """
        metadata = applied["metadata"]
        deadline, live = time.monotonic() + timeout, applied
        while not self._cancelled.is_set():
            live = self._deployments(metadata["namespace"]).get(metadata["name"], live)
            current = live["metadata"].get("generation", 0) >= metadata.get("generation", 0)
            state = verdict(live) if current else "waiting"
            if state == "ready":
                return live
            if state == "failed" or time.monotonic() > deadline:
                why = "it made no progress within its deadline" if state == "failed" else "the time is up"
                raise NotReadyError(self._explain(live, f"{why} ({timeout:.0f} s at most)"), live)
            self._cancelled.wait(POLL_SECONDS)
        raise NotReadyError(f"{_name(live)} was still rolling when the update was cancelled", live)

    def _deployments(self, namespace: str) -> dict[str, Manifest]:
        with self._lock[namespace]:
            at, items = self._seen.get(namespace, (0.0, {}))
            if time.monotonic() - at >= POLL_SECONDS:
                listed = self._api.list("apps/v1", "Deployment", namespace)
                items = {item["metadata"]["name"]: item for item in listed}
                for item in items.values():
                    item.setdefault("apiVersion", "apps/v1")
                    item.setdefault("kind", "Deployment")
                self._seen[namespace] = (time.monotonic(), items)
            return items

    def _explain(self, live: Manifest, why: str) -> str:
        metadata = live["metadata"]
        labels = live["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}%3D{value}" for key, value in sorted(labels.items()))
        lines = [
            f"{c['type']}: {c['reason']}: {c['message']}"
            for c in live.get("status", {}).get("conditions", ())
            if c["type"] == "ReplicaFailure" or (c["type"] == "Progressing" and c["status"] == "False")
        ]
        for pod in self._api.list("v1", "Pod", metadata["namespace"], selector):
            lines += pod_reasons(pod)
        status = live.get("status", {})
        ready, wanted = status.get("updatedReplicas", 0), live["spec"].get("replicas", 1)
        head = f"{_name(live)} is not ready: {ready} of {wanted} replicas are updated, and {why}"
        return "\n".join([head, *(f"  {line}" for line in dict.fromkeys(lines))])


def verdict(deployment: Manifest) -> str:
    """`ready`, `failed` or `waiting`, as `kubectl rollout status` decides it."""
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return "waiting"
    for condition in status.get("conditions", ()):
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return "failed"
    counts = (status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    return "ready" if all(count == wanted for count in counts) else "waiting"


def pod_reasons(pod: Manifest) -> list[str]:
    """Why a pod is not ready: unscheduled, waiting or ended containers."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    reasons = [
        f"pod {name}: {c.get('reason', 'not scheduled')}: {c.get('message', '')}"
        for c in status.get("conditions", ())
        if c["type"] == "PodScheduled" and c["status"] == "False"
    ]
    for container in status.get("containerStatuses", ()):
        for phase in ("waiting", "terminated"):
            state = container.get("state", {}).get(phase)
            if state and state.get("reason") not in {None, "Completed", "ContainerCreating"}:
                what = f"pod {name}: container {container['name']} {phase}: {state['reason']}"
                reasons.append(f"{what}: {state.get('message', 'no message')}")
    return reasons


def wait_deleted(api: Api, manifest: Manifest, timeout: float, cancelled: threading.Event) -> None:
    """Wait until an object is gone.

    Raises:
        ProviderError: it is still there when the time is up.
    """
    deadline = time.monotonic() + timeout
    while api.read(manifest) is not None:
        if cancelled.is_set() or time.monotonic() > deadline:
            raise ProviderError(f"{_name(manifest)} is still there after {timeout:.0f} s")
        cancelled.wait(POLL_SECONDS)


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
