"""A stand-in for `pulumi-resource-kubernetes`, used on the local sandbox where the official one cannot be had.

It creates, changes, reads and deletes Kubernetes objects by server-side apply and waits for rollouts, as the official
plugin does for the kinds this project uses. It refuses every cluster but the sandbox.
"""
