"""The feature definitions, as `features/` holds them."""
