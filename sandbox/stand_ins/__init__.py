"""The stand-in for Pulumi's Python language host, which has no source module and is not available on a closed network.

It is used only where the official one is not installed.
"""

# The exit code for an error that the program has already shown to the user (Pulumi's own convention).
EXIT_SHOWN = 32
