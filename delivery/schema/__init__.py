"""The JSON schemas and the reference of every setting."""
