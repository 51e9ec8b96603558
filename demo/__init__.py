"""The delivery loop on this machine, with real registries: `make demo`."""
