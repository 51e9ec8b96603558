"""Resource options handed from a component to its children."""

import pulumi


def child_options(parent: pulumi.Resource, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Options for a child: its parent, and what the parent itself depends on.

    Pulumi does not hand `depends_on` down, and no object may be created before its namespace.
    """
    return pulumi.ResourceOptions(parent=parent, depends_on=opts.depends_on if opts else None)
