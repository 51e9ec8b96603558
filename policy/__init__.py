"""The policies: rules over plain Kubernetes manifests, and the Pulumi policy pack made of them."""
