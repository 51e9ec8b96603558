"""Generates the objects that make a controller in the cluster follow git: Argo CD, Flux or the Pulumi operator."""
