"""What containers have in common: probes, environment, resources, shutdown. Pure functions."""

from collections.abc import Mapping

from components.kubernetes.objects import Manifest
from components.settings.pod import EnvSource, EnvValue, KeyReference, Probe, Resources


def http_probe(
    path: str, port: str, *, period_seconds: int = 10, timeout_seconds: int = 5, failure_threshold: int = 3
) -> Manifest:
    """An HTTP probe of a named port."""
    return _probe(
        {"httpGet": {"path": path, "port": port}}, period_seconds, timeout_seconds, failure_threshold
    )


def tcp_probe(port: str, *, failure_threshold: int = 3) -> Manifest:
    """A probe that succeeds when a named port accepts connections."""
    return _probe({"tcpSocket": {"port": port}}, 10, 5, failure_threshold)


def command_probe(command: list[str], *, period_seconds: int, failure_threshold: int) -> Manifest:
    """A probe that runs a command in the container."""
    return _probe({"exec": {"command": command}}, period_seconds, 5, failure_threshold)


def model_probe(probe: Probe) -> Manifest:
    """The probe that a model's settings describe."""
    found = http_probe(
        probe.path,
        "http",
        period_seconds=probe.period_seconds,
        timeout_seconds=probe.timeout_seconds,
        failure_threshold=probe.failure_threshold,
    )
    return {**found, "initialDelaySeconds": probe.initial_delay_seconds}


def _probe(action: Manifest, period: int, timeout: int, failures: int) -> Manifest:
    return {**action, "periodSeconds": period, "timeoutSeconds": timeout, "failureThreshold": failures}


def env_variables(values: Mapping[str, EnvValue | None]) -> list[Manifest]:
    """Environment variables in their order, since `$(NAME)` refers to an earlier one; without those that are None."""
    return [_variable(name, value) for name, value in values.items() if value is not None]


def secret_variable(name: str, reference: KeyReference) -> Manifest:
    """A variable whose value is a key of a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": reference.name, "key": reference.key}}}


def _variable(name: str, value: EnvValue) -> Manifest:
    if value.secret_key_ref is not None:
        return secret_variable(name, value.secret_key_ref)
    if (config := value.config_map_key_ref) is not None:
        return {"name": name, "valueFrom": {"configMapKeyRef": {"name": config.name, "key": config.key}}}
    return {"name": name, "value": value.value}


def env_source(source: EnvSource) -> Manifest:
    """All keys of a Secret or ConfigMap as environment variables."""
    if source.secret is not None:
        return {"secretRef": {"name": source.secret}}
    return {"configMapRef": {"name": source.config_map}}


def resource_requirements(resources: Resources) -> Manifest:
    """A container's requests and limits."""
    return {
        "requests": dict(sorted(resources.requests.items())),
        "limits": dict(sorted(resources.limits.items())),
    }


def own_resources(*, cpu: str, memory: str, memory_limit: str, disk_limit: str = "256Mi") -> Manifest:
    """Requests and limits of a container that the program brings, which writes little to its node's disk.

    Args:
        cpu: The CPU that it requests. It has no limit: a throttled container could use idle CPU.
        memory: The memory that it requests.
        memory_limit: The most memory that it may use.
        disk_limit: The most of the node's disk that its pod may use for this container: /tmp of 64Mi, other volumes of
            the pod's own, and logs, of which a kubelet keeps 5 files of 10Mi.
    """
    return {
        "requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "64Mi"},
        "limits": {"memory": memory_limit, "ephemeral-storage": disk_limit},
    }


def pause_before_stop(seconds: int) -> Manifest:
    """The lifecycle of a container that keeps serving for some seconds; empty for none.

    The kubelet's own sleep needs no shell in the image (Kubernetes 1.30 and later).
    """
    return {"preStop": {"sleep": {"seconds": seconds}}} if seconds else {}
