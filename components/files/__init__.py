"""YAML with line numbers, and which files make up a project. It imports no other package of components but errors."""
