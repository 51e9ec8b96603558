"""Commands over the committed files. None needs the Pulumi CLI or a plugin, and only drift looks at a cluster."""
