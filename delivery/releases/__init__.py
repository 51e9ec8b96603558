"""What a change of stack files means, what was deployed, and how a release is reverted."""
