"""What only Feast can answer about the feature definitions: what they define, and what they would change."""
