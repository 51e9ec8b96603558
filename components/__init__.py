"""The program: settings of a stage in, Kubernetes objects out. It imports neither delivery nor policy."""
