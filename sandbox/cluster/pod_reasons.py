"""Why pods are not ready: Pulumi's wait for a rollout does not report everything."""

from collections.abc import Iterable
from typing import Any

_PASSING = {None, "Completed", "ContainerCreating", "PodInitializing"}
Pod = dict[str, Any]


def reasons_of(pods: Iterable[Pod]) -> list[str]:
    """The reasons of all pods, each once."""
    return list(dict.fromkeys(reason for pod in pods for reason in pod_reasons(pod)))


def pod_reasons(pod: Pod) -> list[str]:
    """Why a pod is not ready: unscheduled, waiting, ended, restarting or unready containers; empty when it is."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", ()) if c["status"] == "False"}
    reasons = [_condition(name, conditions["PodScheduled"])] if "PodScheduled" in conditions else []
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
    if not reasons and "Ready" in conditions:
        reasons = [_condition(name, conditions["Ready"])]
    return reasons


def _condition(name: str, condition: dict[str, Any]) -> str:
    return f"pod {name}: {condition['type']}: {condition.get('reason', 'not given')}: {condition.get('message', '')}"
