"""The Prometheus, Alertmanager and Grafana that a stage installs. It may import monitoring and what is below."""
