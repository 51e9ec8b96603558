"""Asks servers that may be broken or hostile: every answer is bounded in time, size and depth."""
