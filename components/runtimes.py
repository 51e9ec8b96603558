"""What a serving runtime fixes by itself: the port it listens on and the paths it answers health checks on.

Pure data. A model file may override each value; the sources are the runtimes' own defaults.
"""

from dataclasses import dataclass
from enum import StrEnum


class Runtime(StrEnum):
    """The serving runtimes known by name."""

    GENERIC = "generic"
    KSERVE = "kserve"
    VLLM = "vllm"
    TRITON = "triton"
    BENTOML = "bentoml"
    RAY_SERVE = "ray-serve"


@dataclass(frozen=True, kw_only=True)
class RuntimeDefaults:
    """Port of the HTTP interface, and the paths of the liveness and readiness probes."""

    port: int
    liveness: str
    readiness: str


RUNTIMES = {
    Runtime.GENERIC: RuntimeDefaults(port=8080, liveness="/health", readiness="/ready"),
    # The Open Inference Protocol's health paths.
    Runtime.KSERVE: RuntimeDefaults(port=8080, liveness="/v2/health/live", readiness="/v2/health/ready"),
    Runtime.TRITON: RuntimeDefaults(port=8000, liveness="/v2/health/live", readiness="/v2/health/ready"),
    # One path for both: the server answers it only once the engine runs.
    Runtime.VLLM: RuntimeDefaults(port=8000, liveness="/health", readiness="/health"),
    Runtime.BENTOML: RuntimeDefaults(port=3000, liveness="/livez", readiness="/readyz"),
    Runtime.RAY_SERVE: RuntimeDefaults(port=8000, liveness="/-/healthz", readiness="/-/healthz"),
}


def runtime_values(name: object) -> dict[tuple[str, ...], int | str]:
    """The values a runtime supplies to a model's raw settings, by path.

    An unknown name gives the generic ones: it is a problem of its own, and not also a missing port.
    """
    named = Runtime(name) if isinstance(name, str) and name in set(Runtime) else Runtime.GENERIC
    defaults = RUNTIMES[named]
    return {
        ("port",): defaults.port,
        ("probes", "liveness", "path"): defaults.liveness,
        ("probes", "readiness", "path"): defaults.readiness,
        ("probes", "startup", "path"): defaults.liveness,
    }
