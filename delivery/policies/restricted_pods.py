"""Pods meet the restricted Pod Security Standard, as Kubernetes 1.37 checks it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/. There are no exceptions for Windows pods.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.errors import Problem
from delivery.policies.manifest import Manifest, Pod, pod_of
from delivery.policies.stage import StageRules

ENFORCE = "pod-security.kubernetes.io/enforce"
_STANDARD = "restricted"
_FIX = "keep the defaults of `security` and `podSecurity`, which meet the restricted Pod Security Standard"
_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_PROFILES = {"RuntimeDefault", "Localhost"}
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")

Context = Mapping[str, Any]


def restricted_pods(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Every pod meets the restricted standard, and every namespace enforces it."""
    if manifest["kind"] == "Namespace":
        level = (manifest["metadata"].get("labels") or {}).get(ENFORCE)
        if level != _STANDARD:
            yield Problem(
                f"enforces the Pod Security Standard {level or 'privileged'}, not {_STANDARD}", _FIX
            )
    if pod := pod_of(manifest):
        for check in _CHECKS:
            for message in check(pod):
                yield Problem(message, _FIX)


def _host(pod: Pod) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield f"the pod must not set {field}"
    for name, container in _all(pod):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"{name} must not use the host's port {port['hostPort']}"
    for name, context in _contexts(pod):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield f"{name} must not set windowsOptions.hostProcess"


def _probe_hosts(pod: Pod) -> Iterator[str]:
    for name, container in _all(pod):
        lifecycle = container.get("lifecycle") or {}
        handlers = {
            **{field: container.get(field) for field in _HANDLERS},
            **{f"lifecycle.{hook}": lifecycle.get(hook) for hook in _HOOKS},
        }
        for field, handler in handlers.items():
            for action in ("httpGet", "tcpSocket"):
                if ((handler or {}).get(action) or {}).get("host"):
                    yield f"{name} must not set {field}.{action}.host"


def _volumes(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.get("volumes") or ():
        if not _VOLUMES & {kind for kind, source in volume.items() if source is not None}:
            kind = next((key for key in volume if key != "name"), "unknown")
            yield f"the volume {volume['name']} must not be of type {kind}"


def _sysctls(pod: Pod) -> Iterator[str]:
    for sysctl in (pod.spec.get("securityContext") or {}).get("sysctls") or ():
        if sysctl["name"] not in _SYSCTLS:
            yield f"the pod must not set the sysctl {sysctl['name']}"


def _mandatory_access_control(pod: Pod) -> Iterator[str]:
    """SELinux, AppArmor and the mount of /proc."""
    for name, context in _contexts(pod):
        selinux = context.get("seLinuxOptions") or {}
        if (selinux.get("type") or "") not in _SELINUX_TYPES:
            yield f"{name} must not set seLinuxOptions.type to {selinux['type']}"
        for field in ("user", "role"):
            if selinux.get(field):
                yield f"{name} must not set seLinuxOptions.{field}"
        apparmor = context.get("appArmorProfile")
        if apparmor is not None and apparmor.get("type") not in _PROFILES:
            yield f"{name} must not set appArmorProfile.type to {apparmor.get('type')}"
        if context.get("procMount") not in {None, "Default"}:
            yield f"{name} must not set procMount to {context['procMount']}"
    for key, value in pod.annotations.items():
        if key.startswith(_APPARMOR_ANNOTATION) and not (
            value in {"", "runtime/default"} or value.startswith("localhost/")
        ):
            yield f"the pod must not set the annotation {key} to {value}"


def _privileges(pod: Pod) -> Iterator[str]:
    for name, context in _contexts(pod):
        if context.get("privileged"):
            yield f"{name} must not be privileged"
    for name, context in _unsaid(pod):
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name} must set allowPrivilegeEscalation to false"
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            yield f"{name} must drop the capabilities ALL"
    for name, container in _all(pod):
        context = container.get("securityContext") or {}
        if pod.operated and context.get("allowPrivilegeEscalation"):
            yield f"{name} must not set allowPrivilegeEscalation to true"
        added = set((context.get("capabilities") or {}).get("add") or ()) - {"NET_BIND_SERVICE"}
        if added:
            yield f"{name} must not add the capabilities {', '.join(sorted(added))}"


def _user(pod: Pod) -> Iterator[str]:
    if pod.spec.get("hostUsers") is False:
        # Root in its own user namespace has no privileges on the node.
        return
    for name, context in _contexts(pod):
        if context.get("runAsUser") == 0:
            yield f"{name} must not run as user 0"
    yield from _stated(pod, "runAsNonRoot", lambda value: value is True, "true")


def _seccomp(pod: Pod) -> Iterator[str]:
    yield from _stated(
        pod,
        "seccompProfile",
        lambda value: value.get("type") in _PROFILES,
        "one of the type RuntimeDefault or Localhost",
    )


def _stated(pod: Pod, field: str, good: Callable[[Any], bool], wanted: str) -> Iterator[str]:
    """A field that the pod or each container must set, and that neither may set to anything else."""
    for name, context in _contexts(pod):
        value = context.get(field)
        if value is not None and not good(value):
            yield f"{name} must set {field} to {wanted}"
    if (pod.spec.get("securityContext") or {}).get(field) is not None:
        return
    if pod.operated:
        yield f"the pod must set {field} to {wanted}"
    for name, context in _unsaid(pod):
        if context.get(field) is None:
            yield f"{name} must set {field} to {wanted}, or the pod must"


def _all(pod: Pod) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for container in (*pod.containers, *pod.patches):
        yield f"container {container['name']}", container


def _contexts(pod: Pod) -> Iterator[tuple[str, Context]]:
    """The security contexts of the pod and of every container, each with the name of its owner."""
    yield "the pod", pod.spec.get("securityContext") or {}
    for name, container in _all(pod):
        yield name, container.get("securityContext") or {}


def _unsaid(pod: Pod) -> Iterator[tuple[str, Context]]:
    """The contexts in which a missing field is a fault: prometheus-operator secures its own containers itself."""
    for container in () if pod.operated else pod.containers:
        yield f"container {container['name']}", container.get("securityContext") or {}


_CHECKS: tuple[Callable[[Pod], Iterator[str]], ...] = (
    _host,
    _probe_hosts,
    _volumes,
    _sysctls,
    _mandatory_access_control,
    _privileges,
    _user,
    _seccomp,
)
