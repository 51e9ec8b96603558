"""What a serving runtime determines: ports, health paths, and the names and units of its metrics.

Pure data, from the runtimes' own code and documentation. A model file may override ports, paths and bucket boundaries.
"""

from dataclasses import dataclass
from enum import StrEnum

from components.runtimes.metrics import Histogram, Load, Loading, Mean, Selected, ServingMetrics, Unit

_LAST_PORT = 65535


class Runtime(StrEnum):
    """The serving runtimes known by name; the last two are no longer developed."""

    GENERIC = "generic"
    KSERVE = "kserve"
    VLLM = "vllm"
    TRITON = "triton"
    BENTOML = "bentoml"
    RAY_SERVE = "ray-serve"
    TENSORFLOW_SERVING = "tensorflow-serving"
    TORCHSERVE = "torchserve"
    MLSERVER = "mlserver"


@dataclass(frozen=True, kw_only=True)
class RuntimeDefaults:
    """Ports of the HTTP interface and of the metrics, paths of the probes and the metrics, and what is measured.

    Attributes:
        port: The port of the HTTP interface.
        liveness: The path of the liveness probe.
        readiness: The path of the readiness probe.
        metrics: What is measured.
        metrics_port: The port of the metrics; None where they are shown on the port of the HTTP interface.
        metrics_path: The path of the metrics.
        bare: The project's own images serve nothing until they are given a model.
    """

    port: int
    liveness: str
    readiness: str
    metrics: ServingMetrics
    metrics_port: int | None = None
    metrics_path: str = "/metrics"
    bare: bool = True


# The default of the Prometheus client library for Python, which KServe and MLServer keep.
_CLIENT_EDGES = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10"

# Client errors are not failures of the server.
_TENSORFLOW_FAILED = 'status!~"OK|CANCELLED|INVALID_ARGUMENT|NOT_FOUND|OUT_OF_RANGE|FAILED_PRECONDITION"'
# Its counters by model count an unknown model as a failure, so those of its REST server are used, without gRPC.
_MLSERVER_WORK = 'path=~".*/infer"'
# Listing the models is not a model's request.
_VLLM_WORK = 'handler=~"/v1/.+",handler!="/v1/models"'

RUNTIMES = {
    # Our own contract, which examples/sentiment-classifier implements.
    Runtime.GENERIC: RuntimeDefaults(
        bare=False,
        port=8080,
        liveness="/health",
        readiness="/ready",
        metrics=ServingMetrics(
            requests=(Selected(name="model_requests_total"),),
            errors=(Selected(name="model_requests_total", matchers='code=~"5.."'),),
            latency=Histogram(
                name="model_request_duration_seconds",
                unit=Unit.SECONDS,
                edges="0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10",
            ),
            load=Load(name="model_requests_in_flight", waiting=False, limit=32),
            model_label=None,
            loading=Loading(loaded="model_loaded", failures="model_load_failures_total"),
        ),
    ),
    # KServe's Python ModelServer, with the Open Inference Protocol's health paths. It does not count failures.
    Runtime.KSERVE: RuntimeDefaults(
        port=8080,
        liveness="/v2/health/live",
        readiness="/v2/health/ready",
        metrics=ServingMetrics(
            requests=(Selected(name="request_predict_seconds_count"),),
            errors=None,
            latency=Histogram(name="request_predict_seconds", unit=Unit.SECONDS, edges=_CLIENT_EDGES),
            load=None,
            model_label="model_name",
        ),
    ),
    # One health path for both: the server answers it only once the engine runs. The engine does not count failures; its
    # HTTP server does, but without the model's name.
    Runtime.VLLM: RuntimeDefaults(
        port=8000,
        liveness="/health",
        readiness="/health",
        metrics=ServingMetrics(
            requests=(Selected(name="http_requests_total", matchers=_VLLM_WORK, labelled=False),),
            errors=(
                Selected(name="http_requests_total", matchers=f'{_VLLM_WORK},status="5xx"', labelled=False),
            ),
            latency=Histogram(
                name="vllm:e2e_request_latency_seconds",
                unit=Unit.SECONDS,
                edges="0.3 0.5 0.8 1 1.5 2 2.5 5 10 15 20 30 40 50 60 120 240 480 960 1920 7680",
            ),
            load=Load(name="vllm:num_requests_waiting", waiting=True, limit=8),
            model_label="model_name",
        ),
    ),
    # Its latency is a sum of microseconds; histograms are an option that covers streaming models only.
    Runtime.TRITON: RuntimeDefaults(
        port=8000,
        liveness="/v2/health/live",
        readiness="/v2/health/ready",
        metrics_port=8002,
        metrics=ServingMetrics(
            requests=(
                Selected(name="nv_inference_request_success"),
                Selected(name="nv_inference_request_failure"),
            ),
            errors=(Selected(name="nv_inference_request_failure", matchers='reason!="CANCELED"'),),
            latency=Mean(
                total="nv_inference_request_duration_us",
                count="nv_inference_request_success",
                unit=Unit.MICROSECONDS,
            ),
            load=Load(name="nv_inference_pending_request_count", waiting=True, limit=8),
            model_label="model",
        ),
    ),
    # Its images are built with their models.
    Runtime.BENTOML: RuntimeDefaults(
        bare=False,
        port=3000,
        liveness="/livez",
        readiness="/readyz",
        metrics=ServingMetrics(
            requests=(Selected(name="bentoml_service_request_total"),),
            errors=(Selected(name="bentoml_service_request_total", matchers='http_response_code=~"5.."'),),
            latency=Histogram(
                name="bentoml_service_request_duration_seconds", unit=Unit.SECONDS, edges=_CLIENT_EDGES
            ),
            load=Load(name="bentoml_service_request_in_progress", waiting=False, limit=32),
            model_label="service_name",
        ),
    ),
    # Its histograms are in milliseconds. The boundaries are those that old and new releases have in common.
    Runtime.RAY_SERVE: RuntimeDefaults(
        port=8000,
        liveness="/-/healthz",
        readiness="/-/healthz",
        metrics_port=8080,
        metrics=ServingMetrics(
            requests=(Selected(name="ray_serve_num_http_requests_total"),),
            errors=(Selected(name="ray_serve_num_http_error_requests_total", matchers='error_code=~"5.."'),),
            latency=Histogram(
                name="ray_serve_http_request_latency_ms",
                unit=Unit.MILLISECONDS,
                edges="1 2 5 10 20 50 100 200 500 1000 2000 5000",
            ),
            load=Load(name="ray_serve_deployment_queued_queries", waiting=True, limit=8),
            model_label="application",
        ),
    ),
    # Its boundaries are 10 us x 1.8^n: not round numbers. Its metrics need a monitoring_config file. Its image takes
    # the served model's name from MODEL_NAME.
    Runtime.TENSORFLOW_SERVING: RuntimeDefaults(
        port=8501,
        liveness="/v1/models/{model}",
        readiness="/v1/models/{model}",
        metrics_path="/monitoring/prometheus/metrics",
        metrics=ServingMetrics(
            requests=(Selected(name=":tensorflow:serving:request_count"),),
            errors=(Selected(name=":tensorflow:serving:request_count", matchers=_TENSORFLOW_FAILED),),
            latency=Histogram(name=":tensorflow:serving:request_latency", unit=Unit.MICROSECONDS),
            load=None,
            model_label="model_name",
        ),
    ),
    # Its errors have no model label, so a served model's name does not narrow them.
    Runtime.TORCHSERVE: RuntimeDefaults(
        port=8080,
        liveness="/ping",
        readiness="/ping",
        metrics_port=8082,
        metrics=ServingMetrics(
            requests=(Selected(name="ts_inference_requests_total"),),
            errors=(Selected(name="Requests5XX", labelled=False),),
            latency=Mean(
                total="ts_inference_latency_microseconds",
                count="ts_inference_requests_total",
                unit=Unit.MICROSECONDS,
            ),
            load=None,
            model_label="model_name",
        ),
    ),
    Runtime.MLSERVER: RuntimeDefaults(
        port=8080,
        liveness="/v2/health/live",
        readiness="/v2/health/ready",
        metrics_port=8082,
        metrics=ServingMetrics(
            requests=(Selected(name="rest_server_requests_total", matchers=_MLSERVER_WORK, labelled=False),),
            errors=(
                Selected(
                    name="rest_server_requests_total",
                    matchers=f'{_MLSERVER_WORK},status_code=~"5.."',
                    labelled=False,
                ),
            ),
            latency=Histogram(
                name="rest_server_request_duration_seconds",
                unit=Unit.SECONDS,
                edges=_CLIENT_EDGES,
                matchers=_MLSERVER_WORK,
                labelled=False,
            ),
            load=Load(name="rest_server_requests_in_progress", waiting=False, limit=32, labelled=False),
            model_label="model",
        ),
    ),
}


def runtime_values(
    name: object, model: str = "<model>", port: object = None
) -> dict[tuple[str, ...], object]:
    """The values that a runtime provides for the raw settings of a model, by path.

    An unknown runtime provides the generic ones: it is reported once, and not also as a missing port.

    Args:
        name: The runtime's name, as it is written.
        model: The model's name.
        port: The port in the model's file, unvalidated; the runtime's own where it is not a number.
    """
    named = Runtime(name) if isinstance(name, str) and name in set(Runtime) else Runtime.GENERIC
    defaults = RUNTIMES[named]
    liveness, readiness = (path.format(model=model) for path in (defaults.liveness, defaults.readiness))
    shared = port if isinstance(port, int) and 0 < port <= _LAST_PORT else defaults.port
    return {
        ("port",): defaults.port,
        ("probes", "liveness", "path"): liveness,
        ("probes", "readiness", "path"): readiness,
        ("probes", "startup", "path"): liveness,
        ("metrics", "port"): defaults.metrics_port or shared,
        ("metrics", "path"): defaults.metrics_path,
    }
