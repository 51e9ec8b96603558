"""The rules: pure functions over plain Kubernetes manifests, one module a concept. catalogue.py lists them."""
