"""Who released what, where and when, from git alone."""
