"""The repository: commits, branches, work trees."""
