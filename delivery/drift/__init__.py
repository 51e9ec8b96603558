"""Compares the cluster with a commit, field by field, and heals the differences."""
