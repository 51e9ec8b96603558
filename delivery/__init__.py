"""`python -m delivery`: from a commit to a cluster and back. It may import components."""
