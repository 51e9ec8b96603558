"""The control plane and what runs on it: started, repaired and taken down. It may import tools and machine."""
