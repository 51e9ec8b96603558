"""Stand-ins for two official Pulumi executables that have no source module and cannot be had on a closed network.

They are used on the local sandbox only, and only where the official ones are not installed.
"""
