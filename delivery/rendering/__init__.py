"""What the program deploys, as manifests, in a folder or on a branch."""
