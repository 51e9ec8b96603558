"""What makes a pod fit the restricted Pod Security Standard. Pure functions."""

from typing import Any

import pulumi_kubernetes as k8s


def pod_security(
    *, run_as_non_root: bool = True, run_as_user: int | None = None, fs_group: int | None = None
) -> k8s.core.v1.PodSecurityContextArgsDict:
    """The security context of a pod; without a user, the image's own. The group lets it write to volumes."""
    security: k8s.core.v1.PodSecurityContextArgsDict = {
        "run_as_non_root": run_as_non_root,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }
    if run_as_user is not None:
        security["run_as_user"] = run_as_user
    if fs_group is not None:
        security["fs_group"] = fs_group
    return security


def container_security(*, read_only_root_filesystem: bool = True) -> k8s.core.v1.SecurityContextArgsDict:
    """The security context of a container."""
    return {
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": read_only_root_filesystem,
        "capabilities": {"drop": ["ALL"]},
    }


def operated_pod_security() -> dict[str, Any]:
    """The security context of the pods that prometheus-operator makes; it hardens their containers by itself."""
    return {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        # Lets that user write to the volume.
        "fsGroup": 2000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
