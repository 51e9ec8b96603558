"""What tests, demo and benchmarks share: clones with their own sandbox, and real servers next to it.

It may import all of the sandbox except its command line, and what is below the sandbox. Code with one user stays there.
"""
