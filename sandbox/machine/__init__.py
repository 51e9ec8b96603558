"""This machine: the sandbox's files, locks, and processes on loopback. It imports no other package of the sandbox."""
