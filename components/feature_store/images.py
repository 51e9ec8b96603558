"""The images of a feature store's own Redis, in one place to update. Feast's image is named in the stack file."""

REDIS = "docker.io/library/redis:8.2.1"
REDIS_EXPORTER = "quay.io/oliver006/redis_exporter:v1.74.0"
