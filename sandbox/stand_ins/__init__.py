"""The stand-in for Pulumi's Python language host, which has no source module and cannot be had on a closed network.

It is used only where the official one is not installed.
"""
