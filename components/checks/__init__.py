"""Checks for contradictions between settings. It may import serving, feature_store, monitoring and what is below."""
