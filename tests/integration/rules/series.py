"""The series of a model with two replicas, in promtool's notation."""

from collections import defaultdict

from components.runtimes.table import Runtime
from components.settings.model import ModelSettings
from components.settings.watching import AlertName
from tests.integration.rules.samples import Sample, Series

NAMESPACE, NAME, VERSION = "ml-test", "a", "v1"
PODS = ("a-5d9c7b8f6-abcde", "a-5d9c7b8f6-fghij")
HOUR, DAY = 3600, 86400
# The slowest alert is pending for three hours.
BURNING = 4 * HOUR
# Seconds from sample to sample.
STEP = 60
REQUESTS_A_STEP = 6000


def written(series: Series, pod: str | None = PODS[0], version: str = VERSION) -> str:
    """A scraped series with the labels that every target has, as promtool reads it."""
    name, labels = series
    target = (
        {}
        if pod is None
        else {
            "namespace": NAMESPACE,
            "pod": pod,
            "instance": f"{pod}:8080",
            "app_kubernetes_io_name": NAME,
            "app_kubernetes_io_version": version,
        }
    )
    # Prometheus renames a server's own label that a target label would hide.
    own = {(f"exported_{key}" if key in target else key): value for key, value in labels.items()}
    text = ",".join(f'{key}="{value}"' for key, value in {**own, **target}.items())
    return f"{name}{{{text}}}" if ":" not in name else f'{{__name__="{name}",{text}}}'


GAUGES = {
    AlertName.DRIFT: written(("drift_distance", {})),
    AlertName.DATA_QUALITY: f'valid_share{{namespace="{NAMESPACE}",job="quality"}}',
    AlertName.STALE: written(("trained_at_seconds", {})),
}
GOOD = dict(zip(GAUGES.values(), (0.1, 0.99, 0), strict=True))


def constant(value: float, seconds: int) -> str:
    """The same value all the time."""
    return f"{value}x{seconds // STEP}"


def rising(per_step: float, seconds: int) -> str:
    """A counter that grows evenly."""
    return f"0+{per_step}x{seconds // STEP}"


def phases(sample: Sample, parts: list[tuple[int, float]]) -> dict[str, str]:
    """Requests in phases of so many seconds, each with its own fraction of failures."""
    found: dict[str, str] = {}
    totals: dict[str, float] = defaultdict(float)
    for seconds, bad in parts:
        for series, text in traffic(sample, seconds, bad=bad).items():
            step = float(text.removeprefix("0+").partition("x")[0])
            count = seconds // STEP - 1
            found[series] = f"{found.get(series, '')} {totals[series]}+{step}x{count}".strip()
            totals[series] += step * (count + 1)
    return found


def traffic(
    sample: Sample, seconds: int, *, per_step: float = REQUESTS_A_STEP, bad: float = 0.0, slow: float = 0.0
) -> dict[str, str]:
    """Requests to one replica, of which a fraction fails and a fraction is slow."""
    growth: dict[str, float] = defaultdict(float)
    for series in sample.good:
        growth[written(series)] += per_step * (1 - bad if sample.bad else 1)
    for series in sample.bad:
        growth[written(series)] += per_step * bad
    for index, series in enumerate(sample.buckets):
        growth[written(series)] += per_step * (1 if index == len(sample.buckets) - 1 else 1 - slow)
    if sample.count is not None:
        growth[written(sample.count)] += per_step
    return {series: rising(round(value, 6), seconds) for series, value in growth.items()}


def healthy(model: ModelSettings, sample: Sample, seconds: int) -> dict[str, str]:
    """The series of a healthy model."""
    values = traffic(sample, seconds)
    for pod in PODS:
        values[written(("up", {}), pod)] = constant(1, seconds)
    for metric, value in (
        ("spec_replicas", 2),
        ("status_replicas_ready", 2),
        ("status_replicas_available", 2),
    ):
        values[deployment(metric)] = constant(value, seconds)
    values[deployment("created")] = constant(-DAY, seconds)
    for series in GAUGES.values():
        values[series] = constant(GOOD[series], seconds)
    if sample.load is not None:
        values[written(sample.load)] = constant(1, seconds)
    for other in sample.besides:
        values[written(other)] = constant(0, seconds)
    if model.runtime is Runtime.GENERIC:
        values[written(("model_loaded", {}))] = constant(1, seconds)
        values[written(("model_load_failures_total", {}))] = constant(0, seconds)
    return values


def deployment(metric: str, **labels: str) -> str:
    """A series of kube-state-metrics about the Deployment."""
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return (
        f'kube_deployment_{metric}{{namespace="{NAMESPACE}",deployment="{NAME}"{"," if text else ""}{text}}}'
    )


def container(metric: str, pod: str = PODS[0], **labels: str) -> str:
    """A series of kube-state-metrics about a server's container."""
    text = "".join(f',{key}="{value}"' for key, value in labels.items())
    return f'{metric}{{namespace="{NAMESPACE}",pod="{pod}",container="server"{text}}}'
