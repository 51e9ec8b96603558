"""This machine: the sandbox's files, locks, and processes on loopback. It may import no other room of the sandbox."""
