"""What a reviewer should look at in a change of the feature store, and of what models read from it."""

from collections.abc import Iterator

from components.feature_store import names
from delivery.review.markdown import code
from delivery.review.stage_review import StageReview


def feature_points(review: StageReview) -> Iterator[str]:
    """The points as Markdown."""
    removed = review.removed_parts
    if names.SERVER in removed:
        yield "**the feature store is removed from the stage**: models that read from it will read nothing"
    elif names.REDIS in removed:
        yield "**the stage's own Redis is removed**: nothing copies its values to another one, which is empty at first"
    for change in review.changes:
        if change.unprotected:
            yield f"**{code(change.object)} is no longer kept**: its data is deleted once the stage does not declare it"
        if change.store_part == names.REDIS and _restarts(change.before, change.after):
            yield "the stage's Redis restarts: reads fail until it has read its log"
    for planned in review.features.changes if review.features else ():
        if planned.change == "removed":
            values = ", with the values it has" if "view" in planned.kind else ""
            yield f"**{planned.kind} {code(planned.name)} is removed from the registry**{values}"
    for point in review.reads.points:
        yield code(point)


def _restarts(before: dict[str, object] | None, after: dict[str, object] | None) -> bool:
    specs = (None if manifest is None else manifest.get("spec") for manifest in (before, after))
    old, new = (spec.get("template") if isinstance(spec, dict) else None for spec in specs)
    return old is not None and new is not None and old != new
