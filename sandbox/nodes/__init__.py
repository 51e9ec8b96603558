"""Real nodes: each a kubelet, a containerd and a kube-proxy in its own namespaces. The control plane imports it."""
