"""Starts, repairs and removes the control plane and what runs on it. It may import tools and machine."""
