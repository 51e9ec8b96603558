"""Generated bad projects through the commands that read a project."""
