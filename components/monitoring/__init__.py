"""PromQL: series, objectives, rules. It may import kubernetes and what is below."""
