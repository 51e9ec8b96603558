"""This machine: the sandbox's files, locks, and processes on loopback. It imports none of the sandbox's other rooms."""
