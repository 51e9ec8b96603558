"""The table of serving runtimes and what they measure. It imports no other package of components."""
