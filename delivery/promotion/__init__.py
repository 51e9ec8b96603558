"""A version for a stage: one line of its stack file."""
