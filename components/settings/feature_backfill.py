"""The settings of a backfill: which past values are loaded into the online store again."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from components.settings.pod import Settings
from components.settings.wrong import wrong

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def _utc_time(text: str) -> str:
    try:
        fits = re.fullmatch(_PATTERN, text) is not None and bool(moment(text))
    except ValueError:
        fits = False
    if not fits:
        raise wrong("must be a time in UTC", 'write it like "2026-01-01T00:00:00Z"')
    return text


def moment(text: str) -> datetime:
    """A time of the settings; raises ValueError."""
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


UtcTime = Annotated[
    str,
    AfterValidator(_utc_time),
    Field(json_schema_extra={"pattern": f"^{_PATTERN}$"}),
]


class Backfill(Settings):
    """A range of time whose values are written into the online store again, even those that it already has.

    Changed lines are a new Job, and so are the same lines with another version or other resources of the store.
    """

    start: UtcTime = Field(alias="from")
    """Older values are not read; in UTC and quoted, like "2026-01-01T00:00:00Z"."""
    until: UtcTime
    """The time at which it is written, so that it is past when the Job starts, and few values are newer."""
    views: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Default: every view that is materialised."""

    @model_validator(mode="after")
    def _check(self) -> "Backfill":
        if moment(self.start) >= moment(self.until):
            raise wrong(
                f"from ({self.start}) is not before until ({self.until})", "make from the earlier of the two"
            )
        return self

    @property
    def view_names(self) -> tuple[str, ...]:
        """The names of the views, sorted and each once; empty for all."""
        return tuple(sorted(set(self.views or ())))
