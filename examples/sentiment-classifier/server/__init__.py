"""A model server for a small sentiment classifier; the README states the contract that it implements."""
