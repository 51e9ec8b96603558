"""The table of serving runtimes and what they measure. It imports no other room."""
