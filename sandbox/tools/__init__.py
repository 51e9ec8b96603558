"""The programs the sandbox runs: their pins, and how each is found, downloaded or built. It may import machine.

Each folder below is a Go module, the pins of one set of tools.
"""
