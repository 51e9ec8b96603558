"""What tests, demo and benchmarks share: clones with a sandbox of their own, and real servers beside it.

It may import all of the sandbox but its command line, and what is below the sandbox; a thing with one user stays there.
"""
