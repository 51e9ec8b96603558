"""The page as Markdown."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from delivery.policies.findings import Level
from delivery.registries.facts import ReleaseFacts
from delivery.releases.changes import Release
from delivery.review.feature_changes import features_block
from delivery.review.markdown import change, code, count, fence, row, table_head
from delivery.review.preview import Preview, Step
from delivery.review.safety import SafetyChange, ordered
from delivery.review.size import LIMIT_BYTES, Block, fitted
from delivery.review.stage_review import StageReview

_SHORT_REVISION = 10
_SHORT_DIGEST = len("sha256:") + 12
_FIELDS_SHOWN = 8
_OPERATIONS = ("create", "update", "replace", "delete")
# The ranks of what may be left out: the diffs are the first to be cut.
_SAFETY, _STOPS, _MODELS, _POINTS, _POLICIES, _STEPS, _DIFFS = range(7)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is reviewed.

    Attributes:
        base: The commit the change is compared with.
        head: The commit that is previewed.
        span: Both as the user named them.
        stage: The requested stage; None for all.
        without: The files of the program that differ and were not run: the base commit's program was.
    """

    base: str
    head: str
    span: str
    stage: str | None = None
    without: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that shows the whole page, as Markdown."""
        stage = f" --stage {self.stage}" if self.stage else ""
        return code(f"python -m delivery review {self.span}{stage} --full")


def marker(stage: str | None) -> str:
    """The first line of a page, by which its comment is found again."""
    return f"<!-- ml-deployments review: {stage or 'all stages'} -->"


def page(reviews: Sequence[StageReview], change: Change, limit: int | None = LIMIT_BYTES) -> str:
    """The page of a change, for all the stages reviewed.

    Args:
        reviews: What is known about each stage.
        change: What was compared.
        limit: The most bytes it may have; None for any number.
    """
    most = 1 << 62 if limit is None else limit
    left_out = 0
    while True:
        text = fitted([*_blocks(reviews, change, left_out)], change.command, most)
        # To say that lines are missing takes a line itself.
        if (missing := hidden(reviews, text)) <= left_out:
            return text
        left_out = missing


def failed(reviews: Sequence[StageReview]) -> bool:
    """True when something stops the merge."""
    return any(True for review in reviews for _ in review.stops())


def hidden(reviews: Sequence[StageReview], text: str) -> int:
    """How many lines of the stages' safety a page does not have; with one or more, the change must not be merged."""
    return len({*_safety_lines(reviews)} - {*text.split("\n")})


def _blocks(reviews: Sequence[StageReview], change: Change, left_out: int) -> Iterator[Block]:
    yield Block(head=f"{marker(change.stage)}\n{_headline(reviews, change, left_out)}")
    yield _safety(reviews)
    yield _models(reviews)
    for review in reviews:
        yield from _stage(review, titled=len(reviews) > 1)


def _headline(reviews: Sequence[StageReview], change: Change, left_out: int) -> str:
    number = sum(1 for review in reviews for _ in review.stops()) + bool(left_out)
    verdict = f"stopped by {count(number, 'finding')}" if number else "nothing stops it"
    stages = ", ".join(code(review.stage) for review in reviews) or "no stage"
    base, head = (code(revision[:_SHORT_REVISION]) for revision in (change.base, change.head))
    text = (
        f"## Review of {stages}: {_totals(reviews)}, {verdict}\n\n"
        f"{head} against {base}, where it branched off ({code(change.span)})."
    )
    if change.without:
        text += (
            f" **The change's program was not run** ({count(len(change.without), 'file')}): this is what the program "
            "of the base commit makes of the files."
        )
    if left_out:
        text += f"\n\n**{count(left_out, 'line')} of its safety do not fit here, which stops the merge.**"
    return text


def _safety(reviews: Sequence[StageReview]) -> Block:
    lines = tuple(_safety_lines(reviews))
    if not lines:
        return Block(head="### Safety\n\nNothing that guards the stage changes.")
    head = "### Safety\n"
    if any(review.accepted and review.weakening for review in reviews):
        head += "\nWhat weakens it was accepted for this run.\n"
    return Block(head=head, items=lines, rank=_SAFETY)


def _safety_lines(reviews: Sequence[StageReview]) -> Iterator[str]:
    """Each line once, with the stage in front where not all of them have it."""
    stages: dict[SafetyChange, list[str]] = defaultdict(list)
    for review in reviews:
        for one in review.safety:
            stages[one].append(review.stage)
    for one in ordered(stages):
        yield one.line if len(stages[one]) == len(reviews) else f"{one.line} ({', '.join(stages[one])})"


def _totals(reviews: Sequence[StageReview]) -> str:
    if any(review.problems or review.preview.problems for review in reviews):
        return "no complete preview"
    numbers = {name: sum(review.preview.number(name) for review in reviews) for name in _OPERATIONS}
    return ", ".join(count(number, name) for name, number in numbers.items() if number) or "no change"


def _models(reviews: Sequence[StageReview]) -> Block:
    rows = tuple(
        _model(r, review.facts.get(r.model))
        for review in reviews
        for r in (*review.releases, *([review.store] if review.store else []))
    )
    if not rows:
        return Block(head="No model's line of a stack file changes.")
    columns = ("model", "stage", "version", "digest", "replicas", "metrics")
    return Block(head=table_head(columns), items=rows, rank=_MODELS, noun="model")


def _model(release: Release, facts: ReleaseFacts | None) -> str:
    old, new = release.before, release.after
    digest = (new.digest if new else None) or (facts.digest if facts else None)
    return row(
        (
            code(release.model),
            code(release.stage),
            change(old and old.version, new and new.version),
            change(_short(old.digest if old else None), _short(digest if new else None)),
            change(old and old.replicas, new and new.replicas),
            _metrics(facts),
        )
    )


def _short(digest: str | None) -> str | None:
    return digest[:_SHORT_DIGEST] if digest else None


def _metrics(facts: ReleaseFacts | None) -> str:
    if facts is None:
        return "-"
    judged = {verdict.metric: "passed" if verdict.passed else "**failed**" for verdict in facts.verdicts}
    names = sorted({*facts.metrics_before, *facts.metrics_after, *judged})
    cells = (_metric(name, facts.metrics_before, facts.metrics_after, judged) for name in names)
    return "<br>".join(cells) or "-"


def _metric(
    name: str, before: Mapping[str, object], after: Mapping[str, object], judged: Mapping[str, str]
) -> str:
    verdict = f" ({judged[name]})" if name in judged else ""
    return f"{code(name)} {change(before.get(name), after.get(name))}{verdict}"


def _stage(review: StageReview, *, titled: bool) -> Iterator[Block]:
    level = "####" if titled else "###"
    if titled:
        yield Block(head=f"### {code(review.stage)}")
    if stops := tuple(f"- {reason}: {code(what)}" for reason, what in review.stops()):
        yield Block(head=f"{level} What stops it\n", items=stops, rank=_STOPS, noun="finding")
    yield _pulumi(review, level)
    if review.features is not None:
        yield features_block(review.features, review.stage, level, _STEPS)
    if review.changes:
        yield _diffs(review)
    yield _policies(review, level)
    if review.exempt:
        exempt = tuple(f"- {code(one)}" for one in review.exempt)
        yield Block(
            head=f"{level} Policies that are off or have exceptions\n",
            items=exempt,
            rank=_POLICIES,
            noun="line",
        )
    if review.look_at:
        points = tuple(f"- {point}" for point in review.look_at)
        yield Block(head=f"{level} What to look at\n", items=points, rank=_POINTS, noun="point")


def _pulumi(review: StageReview, level: str) -> Block:
    title, preview = f"{level} What Pulumi will do", review.preview
    if review.problems:
        return Block(head=f"{title}\n\nNothing: the files have problems, so there is no preview.")
    if preview.problems and not preview.steps:
        return Block(head=f"{title}\n\n**Unknown: the preview failed.**")
    said = f"{title}\n\n{_counts(preview)}"
    if preview.problems:
        said += " **The preview failed partway: this is incomplete.**"
    if not preview.steps:
        return Block(head=said)
    gravity = {"replace": 0, "delete": 1, "create": 2, "update": 3}
    steps = sorted(
        preview.steps, key=lambda step: (review.expected(step), gravity[step.operation], step.object)
    )
    unexplained = set(review.unexplained)
    rows = tuple(_step(step, review.expected(step), step in unexplained) for step in steps)
    head = f"{said}\n\n{table_head(('operation', 'object', 'what changes'))}"
    return Block(head=head, items=rows, rank=_STEPS, noun="object")


def _counts(preview: Preview) -> str:
    numbers = [f"{number} to {name}" for name in _OPERATIONS if (number := preview.number(name))]
    return f"{', '.join(numbers) or 'Nothing'}; {preview.unchanged} unchanged."


def _step(step: Step, expected: bool, unexplained: bool) -> str:
    name = step.operation if expected and step.operation != "delete" else f"**{step.operation}**"
    notes = "" if expected else " (unexpected)"
    notes += " (no file explains it)" if unexplained else ""
    notes += " (it stays in the cluster)" if step.kept else ""
    what = code(step.object) if step.target == step.object else f"{code(step.object)} → {code(step.target)}"
    fields = sorted(step.fields, key=lambda field: (field not in step.forces, field))
    cells = [f"**{code(f)}**" if f in step.forces else code(f) for f in fields[:_FIELDS_SHOWN]]
    if len(fields) > _FIELDS_SHOWN:
        cells.append(f"{len(fields) - _FIELDS_SHOWN} more")
    return row((f"{name}{notes}", what, "<br>".join(cells) or "-"))


def _diffs(review: StageReview) -> Block:
    names = {(False, False): "changed", (True, False): "new", (False, True): "gone"}
    changes = sorted(review.changes, key=lambda c: (c.model is None, c.object))
    heads = [f"{code(c.object)}, {names[c.before is None, c.after is None]}\n\n" for c in changes]
    items = tuple(head + fence(c.diff(), "diff") for head, c in zip(heads, changes, strict=True))
    return Block(
        head=f"<details><summary>Rendered manifests of {code(review.stage)}: {count(len(items), 'object')}</summary>\n",
        items=items,
        short=tuple(head + fence(c.cut_diff(), "diff") for head, c in zip(heads, changes, strict=True)),
        tail="</details>",
        separator="\n\n",
        rank=_DIFFS,
        noun="object",
    )


def _policies(review: StageReview, level: str) -> Block:
    if not review.violations:
        said = "Not checked: the files have problems." if review.problems else "No violation."
        return Block(head=f"{level} Policies\n\n{said}")
    rows = tuple(
        row(
            (
                f"**{v.level.value}**" if v.level is Level.MANDATORY else v.level.value,
                code(v.policy),
                code(v.object),
                code(v.problem.reason),
                code(v.problem.fix),
            )
        )
        for v in review.violations
    )
    columns = ("level", "policy", "object", "what is wrong", "what to do")
    return Block(
        head=f"{level} Policies\n\n{table_head(columns)}", items=rows, rank=_POLICIES, noun="violation"
    )
