"""The drift that a stack ignores. Pure functions."""

import re
from collections.abc import Sequence

from components.settings.drift import IgnoreRule
from delivery.drift.comparing import Drift


def matches(rule: IgnoreRule, drift: Drift) -> bool:
    """True for drift that a rule names. A rule with a field includes what is below it, but never a whole object."""
    named = (
        (rule.kind, drift.object.kind),
        (rule.name, drift.object.name),
        (rule.manager, drift.manager or ""),
    )
    return all(_pattern(rule_text, "").fullmatch(value) for rule_text, value in named) and bool(
        _pattern(rule.field, r"(?:[.\[].*)?").fullmatch(drift.field)
    )


def split(drift: Sequence[Drift], rules: Sequence[IgnoreRule]) -> tuple[list[Drift], list[Drift]]:
    """The drift that no rule names, and the drift that one does."""
    passed = [d for d in drift if any(matches(rule, d) for rule in rules)]
    return [d for d in drift if d not in passed], passed


def idle(drift: Sequence[Drift], rules: Sequence[IgnoreRule]) -> list[str]:
    """A line for each rule that matched nothing."""
    return [
        f"drift.ignore rule {number} ({_written(rule)}) matched nothing"
        for number, rule in enumerate(rules, start=1)
        if not any(matches(rule, d) for d in drift)
    ]


def _pattern(pattern: str, more: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")) + more, re.DOTALL)


def _written(rule: IgnoreRule) -> str:
    return ", ".join(f"{name}: {value}" for name, value in rule.model_dump(exclude_defaults=True).items())
