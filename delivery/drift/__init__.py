"""What the cluster holds against what a commit says: found field by field, and healed."""
