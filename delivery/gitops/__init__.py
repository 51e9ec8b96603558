"""Makes the objects that have a controller in the cluster follow git: Argo CD, Flux or the Pulumi operator."""
