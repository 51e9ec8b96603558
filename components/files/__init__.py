"""YAML with line numbers, and what is wrong with a file. It imports no other room."""
