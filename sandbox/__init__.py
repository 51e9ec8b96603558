"""The default target: a real Kubernetes control plane on loopback, and the tools that deploy to it."""
