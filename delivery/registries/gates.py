"""Checks a version's metrics against the model's gate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from components.settings.registries import Gate, MetricGate


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One metric against its rules.

    Attributes:
        metric: Its name.
        before: Its value for the version that runs now; None when there is none.
        after: Its value for the version that is to run; None when its run has no such metric.
        rule: The rules as text, like `at least 0.85, may fall by 0.01`.
        passed: All rules hold.
        reason: Why it failed, or what could not be compared; empty when all is well.
    """

    metric: str
    before: Decimal | None
    after: Decimal | None
    rule: str
    passed: bool
    reason: str = ""


def judge(
    gate: Gate,
    candidate: Mapping[str, Decimal],
    running: Mapping[str, Decimal] | None,
    unknown: str | None = None,
) -> tuple[Verdict, ...]:
    """Check each metric of a gate, by name.

    A metric that the candidate lacks fails. So does one that is to be compared with what runs, and cannot be.

    Args:
        gate: The rules.
        candidate: The metrics of the version that is to run.
        running: Those of the version that runs now; None when none runs.
        unknown: Why it is not known what runs, or not which metrics it has; None when it is known.
    """
    return tuple(
        _verdict(name, rule, candidate.get(name), running, unknown)
        for name, rule in sorted(gate.metrics.items())
    )


def _verdict(
    name: str,
    rule: MetricGate,
    after: Decimal | None,
    running: Mapping[str, Decimal] | None,
    unknown: str | None,
) -> Verdict:
    before = (running or {}).get(name)
    # Neither NaN nor an infinite value can be compared, and the difference of two infinite values is not a number.
    known = before if before is not None and before.is_finite() else None
    if after is None or not after.is_finite():
        reasons = ["its run has no such metric" if after is None else f"its run says {after}"]
    else:
        reasons = list(_reasons(rule, after, known))
    nothing_runs = running is None and unknown is None
    if rule.compares and known is None and not nothing_runs:
        lacks = "what runs has no such metric" if before is None else f"what runs says {before}"
        reasons.append(f"cannot be compared: {unknown or lacks}")
    return Verdict(
        metric=name,
        before=before,
        after=after,
        rule=_text(rule),
        passed=not reasons,
        reason="; ".join(reasons)
        or ("nothing that runs to compare with" if rule.compares and nothing_runs else ""),
    )


def _reasons(rule: MetricGate, after: Decimal, before: Decimal | None) -> Iterator[str]:
    if rule.min is not None and after < Decimal(rule.min):
        yield f"{after} is below {rule.min}"
    if rule.max is not None and after > Decimal(rule.max):
        yield f"{after} is above {rule.max}"
    if before is None:
        return
    if rule.max_drop is not None and before - after > Decimal(rule.max_drop):
        yield f"{before - after} below the {before} that runs, more than {rule.max_drop}"
    if rule.max_rise is not None and after - before > Decimal(rule.max_rise):
        yield f"{after - before} above the {before} that runs, more than {rule.max_rise}"


def _text(rule: MetricGate) -> str:
    said = {
        "at least {}": rule.min,
        "at most {}": rule.max,
        "may fall by {}": rule.max_drop,
        "may rise by {}": rule.max_rise,
    }
    return ", ".join(text.format(value) for text, value in said.items() if value is not None)
