"""What the feature definitions would change in a stage's registry."""
