"""The images of a stage's own monitoring stack, in one place to update. Pinned by tag."""

# Those that prometheus-operator 0.93 is tested with.
PROMETHEUS_VERSION = "v3.13.1"
PROMETHEUS = f"quay.io/prometheus/prometheus:{PROMETHEUS_VERSION}"
ALERTMANAGER_VERSION = "v0.33.1"
ALERTMANAGER = f"quay.io/prometheus/alertmanager:{ALERTMANAGER_VERSION}"
GRAFANA = "grafana/grafana:12.4.4"
KUBE_STATE_METRICS = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0"
