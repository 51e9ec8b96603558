"""The stand-in for Pulumi's Python language host, which has no source module and cannot be had on a closed network.

It is used only where the official one is not installed.
"""

# What the program's process says it has shown to the user already (Pulumi's own convention).
EXIT_SHOWN = 32
