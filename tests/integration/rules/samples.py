"""What each runtime exposes, written independently of components/runtimes/table.py, so that a wrong name there fails.

A series is its name and labels; `good` and `bad` are what one answered and one failed request add to.
"""

from dataclasses import dataclass

from components.runtimes.table import Runtime

Series = tuple[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The series of one runtime.

    Attributes:
        good: What a request that was answered adds 1 to.
        bad: What a request that failed adds 1 to; empty where the runtime counts none.
        buckets: The latency histogram's buckets: an edge that a quick request meets, the objective's, and +Inf.
        count: The latency histogram's count.
        threshold: The objective's threshold as a model file has it.
        load: The gauge of requests in progress or waiting.
        besides: Further series of the same metrics, as a server shows that was asked for other versions, too.
    """

    good: tuple[Series, ...]
    bad: tuple[Series, ...] = ()
    buckets: tuple[Series, ...] = ()
    count: Series | None = None
    threshold: str = "0.5s"
    load: Series | None = None
    besides: tuple[Series, ...] = ()


def _histogram(name: str, labels: dict[str, str], edges: tuple[str, str]) -> tuple[Series, ...]:
    return tuple((f"{name}_bucket", {**labels, "le": edge}) for edge in (*edges, "+Inf"))


_VLLM = {"model_name": "m", "engine": "0"}
_RAY = {"application": "default", "route": "/", "method": "POST"}
_TF = {"model_name": "m", "API": "predict", "entrypoint": "REST"}
_BENTO = {"endpoint": "/predict", "service_name": "m", "service_version": "not_available", "runner_name": ""}
_REST = {"app_name": "mlserver", "method": "POST", "path": "/v2/models/m/infer"}

SAMPLES = {
    Runtime.GENERIC: Sample(
        good=(("model_requests_total", {"code": "200"}),),
        bad=(("model_requests_total", {"code": "500"}),),
        buckets=_histogram("model_request_duration_seconds", {}, ("0.25", "0.5")),
        count=("model_request_duration_seconds_count", {}),
        load=("model_requests_in_flight", {}),
    ),
    Runtime.KSERVE: Sample(
        good=(("request_predict_seconds_count", {"model_name": "m"}),),
        buckets=_histogram("request_predict_seconds", {"model_name": "m"}, ("0.25", "0.5")),
    ),
    Runtime.VLLM: Sample(
        good=(
            (
                "http_requests_total",
                {"handler": "/v1/chat/completions", "method": "POST", "status": "2xx"},
            ),
        ),
        bad=(
            (
                "http_requests_total",
                {"handler": "/v1/chat/completions", "method": "POST", "status": "5xx"},
            ),
        ),
        buckets=_histogram("vllm:e2e_request_latency_seconds", _VLLM, ("0.3", "2.0")),
        count=("vllm:e2e_request_latency_seconds_count", _VLLM),
        threshold="2s",
        load=("vllm:num_requests_waiting", _VLLM),
    ),
    Runtime.TRITON: Sample(
        good=(("nv_inference_request_success", {"model": "m", "version": "1"}),),
        bad=(("nv_inference_request_failure", {"model": "m", "version": "1", "reason": "OTHER"}),),
        load=("nv_inference_pending_request_count", {"model": "m", "version": "1"}),
        besides=tuple(
            (name, {"model": "m", "version": "2"})
            for name in (
                "nv_inference_request_success",
                "nv_inference_request_duration_us",
                "nv_inference_pending_request_count",
            )
        ),
    ),
    Runtime.BENTOML: Sample(
        good=(("bentoml_service_request_total", {**_BENTO, "http_response_code": "200"}),),
        bad=(("bentoml_service_request_total", {**_BENTO, "http_response_code": "500"}),),
        buckets=_histogram("bentoml_service_request_duration_seconds", _BENTO, ("0.25", "0.5")),
        count=("bentoml_service_request_duration_seconds_count", _BENTO),
        load=("bentoml_service_request_in_progress", _BENTO),
    ),
    # A failed request is a request, too.
    Runtime.RAY_SERVE: Sample(
        good=(("ray_serve_num_http_requests_total", {**_RAY, "status_code": "200"}),),
        bad=(
            ("ray_serve_num_http_requests_total", {**_RAY, "status_code": "500"}),
            ("ray_serve_num_http_error_requests_total", {**_RAY, "error_code": "500"}),
        ),
        buckets=_histogram("ray_serve_http_request_latency_ms", _RAY, ("200.0", "500.0")),
        count=("ray_serve_http_request_latency_ms_count", _RAY),
        load=("ray_serve_deployment_queued_queries", {"application": "default", "deployment": "d"}),
    ),
    Runtime.TENSORFLOW_SERVING: Sample(
        good=((":tensorflow:serving:request_count", {"model_name": "m", "status": "OK"}),),
        bad=((":tensorflow:serving:request_count", {"model_name": "m", "status": "INTERNAL"}),),
        buckets=_histogram(":tensorflow:serving:request_latency", _TF, ("10", "18")),
        count=(":tensorflow:serving:request_latency_count", _TF),
        threshold="0.018ms",
    ),
    Runtime.TORCHSERVE: Sample(
        good=(("ts_inference_requests_total", {"model_name": "m", "model_version": "1.0", "hostname": "h"}),),
        bad=(
            ("ts_inference_requests_total", {"model_name": "m", "model_version": "1.0", "hostname": "h"}),
            ("Requests5XX", {"Level": "Host", "Hostname": "h"}),
        ),
    ),
    Runtime.MLSERVER: Sample(
        good=(("rest_server_requests_total", {**_REST, "status_code": "200"}),),
        bad=(("rest_server_requests_total", {**_REST, "status_code": "500"}),),
        besides=(("rest_server_requests_total", {**_REST, "version": "nope", "status_code": "404"}),),
        buckets=_histogram("rest_server_request_duration_seconds", _REST, ("0.25", "0.5")),
        count=("rest_server_request_duration_seconds_count", _REST),
        load=("rest_server_requests_in_progress", {"app_name": "mlserver", "method": "POST"}),
    ),
}
