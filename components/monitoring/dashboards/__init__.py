"""The panels of Grafana's dashboards, and the dashboards of models and stages."""
