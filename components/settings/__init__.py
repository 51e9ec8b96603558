"""Types and defaults of what the files say, and nothing that reads files. It may import runtimes."""
