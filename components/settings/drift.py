"""What `python -m delivery drift` ignores, because something else owns it on purpose."""

from typing import Annotated

from pydantic import Field

from components.settings.pod import Settings

Pattern = Annotated[str, Field(min_length=1)]


class IgnoreRule(Settings):
    """Drift that is expected. Every part given must match; `*` stands for any text."""

    kind: Pattern
    """The kind of the object, like Deployment."""
    name: Pattern = "*"
    """The name of the object."""
    field: Pattern = "*"
    """The field as `delivery drift` prints it, with everything below it. Default: the whole object is ignored."""
    manager: Pattern = "*"
    """The field manager that wrote it, as `delivery drift` prints it."""


class DriftSettings(Settings):
    """What is drift in this stage, and what is not."""

    ignore: tuple[IgnoreRule, ...] = ()
    """Drift to ignore. `pulumi up` does not know these rules and restores what it declares."""
