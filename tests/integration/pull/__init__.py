"""A real Argo CD that follows a git repository on this machine."""
