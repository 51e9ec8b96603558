"""Files to settings: read, merge, validate. It may import settings, runtimes and files."""
