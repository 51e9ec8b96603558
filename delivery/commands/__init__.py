"""The commands of `python -m delivery`: each reads its arguments, calls the module that does the work, and prints."""
