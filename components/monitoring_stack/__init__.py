"""The Prometheus, Alertmanager and Grafana that a stage brings. It may import monitoring and what is below."""
