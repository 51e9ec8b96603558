"""Rules that take hours, in seconds."""

import re

_DURATION = re.compile(
    r"(?<=\[)(\d+)(s|m|h|d)(?=\])|(?<=for: )(\d+)(s|m|h|d)\b|(?<=interval: )(\d+)(s|m|h|d)\b"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def quickened(text: str, speed: int) -> str:
    """A rule file whose every duration is `speed` times shorter; ratios and thresholds stay."""

    def shorter(match: re.Match[str]) -> str:
        number, unit = (group for group in match.groups() if group is not None)
        return f"{int(number) * _SECONDS[unit] * 1000 // speed}ms"

    return _DURATION.sub(shorter, text)
