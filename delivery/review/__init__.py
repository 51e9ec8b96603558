"""The page of a pull request: what a change of the files does, and what stops it."""
