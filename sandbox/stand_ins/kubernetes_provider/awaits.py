"""Waits for rollouts and deletions, and says why a rollout is not ready."""

import threading
import time
from collections import defaultdict
from typing import Any

from sandbox.stand_ins.kubernetes_provider.api import Api
from sandbox.stand_ins.kubernetes_provider.errors import NotReadyError, ProviderError

POLL_SECONDS = 0.25
AWAITED = frozenset({"Deployment", "StatefulSet", "Job"})
# Hundreds of deletions are waited for at once, each with calls of its own.
DELETION_POLL_SECONDS = 1.0
_PASSING = {None, "Completed", "ContainerCreating", "PodInitializing"}
Manifest = dict[str, Any]


class Rollouts:
    """Follows what rolls or ends; all waits for Deployments of a namespace share one list call a poll."""

    def __init__(self, api: Api, cancelled: threading.Event) -> None:
        self._api = api
        self._cancelled = cancelled
        self._lock: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._seen: dict[str, tuple[float, dict[str, Manifest]]] = {}

    def wait(self, applied: Manifest, timeout: float) -> Manifest:
        """Wait until all replicas serve the applied generation, or a Job has ended well.

        Raises:
            NotReadyError: it failed, or the time is up; the message names the pods' reasons.
        """
        deadline, live = time.monotonic() + timeout, applied
        while not self._cancelled.is_set():
            try:
                found = self._find(applied)
            except ProviderError as error:
                # The object is there, so it has to get into the state.
                raise NotReadyError(f"{_name(live)} cannot be followed: {error}", live) from error
            if found is not None and _follows(found, applied):
                live = found
                state = verdict(live)
                if state == "ready":
                    return live
                if state == "failed":
                    raise NotReadyError(self.explain(live), live)
            if time.monotonic() > deadline:
                raise NotReadyError(self.explain(live, f"after {timeout:.0f} s"), live)
            self._cancelled.wait(POLL_SECONDS)
        raise NotReadyError(f"{_name(live)} was still rolling when the update was cancelled", live)

    def _find(self, applied: Manifest) -> Manifest | None:
        if applied["kind"] != "Deployment":
            return self._api.read(applied)
        return self._deployments(applied["metadata"]["namespace"]).get(applied["metadata"]["name"])

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

    def explain(self, live: Manifest, why: str | None = None) -> str:
        """Why something is not ready, with the reasons of its ReplicaSets and pods."""
        if why is None:
            job = live.get("kind") == "Job"
            why = "and has ended" if job else "and made no progress within its progressDeadlineSeconds"
        metadata = live["metadata"]
        labels = live["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}%3D{value}" for key, value in sorted(labels.items()))
        lines = [
            f"{c['type']}: {c['reason']}: {c['message']}"
            for c in live.get("status", {}).get("conditions", ())
            if c["type"] in {"ReplicaFailure", "Failed"}
            or (c["type"] == "Progressing" and c["status"] == "False")
        ]
        try:
            pods = self._api.list("v1", "Pod", metadata["namespace"], selector)
        except ProviderError as error:
            pods, lines = [], [*lines, f"its pods cannot be listed: {error}"]
        for pod in pods:
            lines += pod_reasons(pod)
        head = f"{_name(live)} is not ready {why}: {_counts(live)}"
        return "\n".join([head, *(f"  {line}" for line in dict.fromkeys(lines))])


def _counts(live: Manifest) -> str:
    status = live.get("status", {})
    if live.get("kind") == "Job":
        return f"{status.get('failed', 0)} of its pods have failed"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    return (
        f"of {live['spec'].get('replicas', 1)} replicas {updated} are updated and {available} are available"
    )


def verdict(live: Manifest) -> str:
    """`ready`, `failed` or `waiting`, as `kubectl rollout status` and `kubectl wait` decide it."""
    if live.get("kind") == "Job":
        ended = {c["type"] for c in live.get("status", {}).get("conditions", ()) if c["status"] == "True"}
        return "ready" if "Complete" in ended else "failed" if "Failed" in ended else "waiting"
    return _rollout_verdict(live)


def _rollout_verdict(deployment: Manifest) -> str:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return "waiting"
    for condition in status.get("conditions", ()):
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return "failed"
    counts = (status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    return "ready" if all(count == wanted for count in counts) else "waiting"


def pod_reasons(pod: Manifest) -> list[str]:
    """Why a pod is not ready: unscheduled, waiting, ended, restarting or unready containers."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    reasons = [
        f"pod {name}: {c.get('reason', 'not scheduled')}: {c.get('message', '')}"
        for c in status.get("conditions", ())
        if c["type"] == "PodScheduled" and c["status"] == "False"
    ]
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    for container in containers:
        what = f"pod {name}: container {container['name']}"
        for phase in ("waiting", "terminated"):
            state = container.get("state", {}).get(phase)
            if state and state.get("reason") not in _PASSING:
                reasons.append(f"{what} {phase}: {state['reason']}: {state.get('message', 'no message')}")
        ended = container.get("lastState", {}).get("terminated")
        if ended and container.get("restartCount") and not container.get("ready"):
            why = f"{ended.get('reason', 'Error')}, exit code {ended.get('exitCode', '?')}"
            reasons.append(f"{what} restarted {container['restartCount']} times: {why}")
    if not reasons:
        reasons = [
            f"pod {name}: {c['type']}: {c.get('reason', 'not ready')}: {c.get('message', '')}"
            for c in status.get("conditions", ())
            if c["type"] == "Ready" and c["status"] == "False"
        ]
    return reasons


def _follows(live: Manifest, applied: Manifest) -> bool:
    """False for what the server's cache held before the apply, or for an earlier object of that name."""
    one, other = live["metadata"], applied["metadata"]
    current = bool(one.get("generation", 0) >= other.get("generation", 0))
    return current and one.get("uid") == other.get("uid")


def wait_deleted(api: Api, manifest: Manifest, uid: str, timeout: float, cancelled: threading.Event) -> None:
    """Wait until the object with the uid is gone.

    Raises:
        ProviderError: it is still there when the time is up.
    """
    deadline, pause = time.monotonic() + timeout, 0.05
    while (live := api.read(manifest)) is not None:
        # Another object of that name, such as a controller makes, is not the one that was deleted.
        if live["metadata"].get("uid") != uid:
            return
        if cancelled.is_set():
            raise ProviderError(f"{_name(manifest)} was still there when the update was cancelled")
        if time.monotonic() > deadline:
            finalizers = ", ".join(live["metadata"].get("finalizers") or ())
            held = f"; it is held by the finalizers: {finalizers}" if finalizers else ""
            raise ProviderError(f"{_name(manifest)} is still there after {timeout:.0f} s{held}")
        cancelled.wait(pause)
        pause = min(pause * 2, DELETION_POLL_SECONDS)


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
