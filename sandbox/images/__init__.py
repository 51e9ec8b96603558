"""Container images without a container engine: built from pinned inputs, cached, pushed. It may import tools.

An image is its recipe: the same recipe gives the same bytes, and so the same digest, in any folder and at any time.
What belongs to one kind of image is in its own file; `wanted.py` lists the images of the sandbox.
"""
