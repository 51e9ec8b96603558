"""What the files say that does not fit together. It may import serving, feature_store, monitoring and what is below."""
