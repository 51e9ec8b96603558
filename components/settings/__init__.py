"""Shapes and defaults of what the files say, and nothing that reads them. It may import runtimes."""
