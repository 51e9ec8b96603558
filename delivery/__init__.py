"""Commands over the committed files: show, render, check and schema. They need no Pulumi CLI, plugin or cluster."""
