"""Pods that do and do not meet the restricted Pod Security Standard: a good one, and changes to it.

The unit tests hold our rule to them, the integration tests the admission of a real API server.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

Template = dict[str, Any]
Change = Callable[[Template], Any]


def good_template() -> Template:
    """Metadata and spec of a pod that meets it."""
    container = {
        "name": "server",
        "image": "registry.example.com/a:v1",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "metadata": {"labels": {"app": "a"}},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


def changed(change: Change) -> Template:
    """The good pod with a change."""
    template = good_template()
    change(template)
    return template


def _pod(**fields: Any) -> Change:
    return lambda template: template["spec"].update(deepcopy(fields))


def _pod_context(**fields: Any) -> Change:
    return lambda template: template["spec"]["securityContext"].update(deepcopy(fields))


def _without(*fields: str) -> Change:
    return lambda template: [template["spec"]["securityContext"].pop(field) for field in fields]


def _container(**fields: Any) -> Change:
    return lambda template: template["spec"]["containers"][0].update(deepcopy(fields))


def _context(**fields: Any) -> Change:
    return lambda template: template["spec"]["containers"][0]["securityContext"].update(deepcopy(fields))


def _drop(field: str) -> Change:
    return lambda template: template["spec"]["containers"][0]["securityContext"].pop(field)


def _volume(**source: Any) -> Change:
    return _pod(volumes=[{"name": "v", **source}])


def _both(*changes: Change) -> Change:
    return lambda template: [change(template) for change in changes]


def _apparmor_annotation(value: str) -> Change:
    key = "container.apparmor.security.beta.kubernetes.io/server"
    return lambda template: template["metadata"].update(annotations={key: value})


_GET = {"path": "/", "port": 80}
_BARE = {"name": "init", "image": "registry.example.com/a:v1"}

REFUSED: Mapping[str, Change] = {
    "host network": _pod(hostNetwork=True),
    "host processes": _pod(hostPID=True),
    "host communication": _pod(hostIPC=True),
    "host port": _container(ports=[{"containerPort": 80, "hostPort": 80}]),
    "host path": _volume(hostPath={"path": "/etc"}),
    "network volume": _volume(nfs={"server": "nfs.example.com", "path": "/"}),
    "probe of another host": _container(livenessProbe={"httpGet": {**_GET, "host": "example.com"}}),
    "probe of another socket": _container(
        readinessProbe={"tcpSocket": {"port": 80, "host": "example.com"}},
    ),
    "hook to another host": _container(
        lifecycle={"preStop": {"httpGet": {**_GET, "host": "example.com"}}},
    ),
    "privileged": _context(privileged=True, allowPrivilegeEscalation=True),
    "escalation": _context(allowPrivilegeEscalation=True),
    "escalation left open": _drop("allowPrivilegeEscalation"),
    "capabilities kept": _drop("capabilities"),
    "some capabilities dropped": _context(capabilities={"drop": ["NET_RAW"]}),
    "capability added": _context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    "root allowed": _pod_context(runAsNonRoot=False),
    "root not excluded": _without("runAsNonRoot"),
    "root allowed in a container": _context(runAsNonRoot=False),
    "user 0": _pod_context(runAsUser=0),
    "user 0 in a container": _context(runAsUser=0),
    "no seccomp": _without("seccompProfile"),
    "unconfined": _pod_context(seccompProfile={"type": "Unconfined"}),
    "container unconfined": _context(seccompProfile={"type": "Unconfined"}),
    "unsafe sysctl": _pod_context(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
    "selinux type": _pod_context(seLinuxOptions={"type": "spc_t"}),
    "selinux user": _pod_context(seLinuxOptions={"user": "root"}),
    "selinux role": _context(seLinuxOptions={"role": "sysadm_r"}),
    "apparmor unconfined": _context(appArmorProfile={"type": "Unconfined"}),
    "apparmor unconfined by annotation": _apparmor_annotation("unconfined"),
    "proc mount": _both(_pod(hostUsers=False), _context(procMount="Unmasked")),
    "init container": _pod(initContainers=[_BARE]),
}
ACCEPTED: Mapping[str, Change] = {
    "as it is": lambda template: None,
    "non-root said by the container": _both(_without("runAsNonRoot"), _context(runAsNonRoot=True)),
    "seccomp said by the container": _both(
        _without("seccompProfile"), _context(seccompProfile={"type": "RuntimeDefault"})
    ),
    "localhost seccomp": _pod_context(seccompProfile={"type": "Localhost", "localhostProfile": "a.json"}),
    "low ports": _context(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    "safe sysctl": _pod_context(sysctls=[{"name": "net.ipv4.tcp_syncookies", "value": "1"}]),
    "selinux container type": _pod_context(seLinuxOptions={"type": "container_t"}),
    "root in a user namespace": _both(_pod(hostUsers=False), _pod_context(runAsUser=0, runAsNonRoot=False)),
    "secret volume": _volume(secret={"secretName": "s"}),
    "image volume": _volume(image={"reference": "registry.example.com/data:v1"}),
    "claim": _volume(persistentVolumeClaim={"claimName": "c"}),
    "apparmor of the runtime": _context(appArmorProfile={"type": "RuntimeDefault"}),
    "apparmor by annotation": _apparmor_annotation("runtime/default"),
    "probe of the pod itself": _container(livenessProbe={"httpGet": _GET}),
}
