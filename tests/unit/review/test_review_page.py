"""The page of a review: what it says, in which order, how long it is, and that it stays text."""

import html
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from components.visible import in_line
from delivery.features.plan import FeatureChange, FeaturePlan
from delivery.policies.findings import Level
from delivery.review.markdown import LONGEST_VALUE, code, fence, row, table_head
from delivery.review.page import Change, failed, page
from delivery.review.preview import Preview
from delivery.review.size import LIMIT_BYTES, Block, fitted
from delivery.review.stage_review import StageReview
from tests.support.reviews import changed, facts, finding, gate, release, step

CHANGE = Change(base="b" * 40, head="a" * 40, span="main..HEAD", stage="production")
BUMP = StageReview(
    stage="production",
    releases=(release(),),
    preview=Preview(steps=(step("update", "Deployment", fields=("spec.template",)),), unchanged=8),
    changes=(changed("Deployment"),),
    look_at=("something",),
)
FEATURE = FeatureChange(change="removed", kind="feature view", name="posts_v1", diff="-ttl: 604800s")


def text(*reviews: StageReview, **limit: Any) -> str:
    return page(reviews, CHANGE, **limit)


def rendered(markdown: str) -> str:
    found: str = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return found


def with_(review: StageReview, **more: Any) -> StageReview:
    return StageReview(**{**{name: getattr(review, name) for name in review.__dataclass_fields__}, **more})


def test_the_parts_come_in_the_order_a_reader_needs() -> None:
    found = text(with_(BUMP, violations=(finding(),), features=FeaturePlan(changes=(FEATURE,))))
    marks = [
        "<!-- ml-deployments review: production -->",
        "## Review of",
        "| model | stage |",
        "### What stops it",
        "### What Pulumi will do",
        "### Features of <code>production</code>",
        "<details>",
        "### Policies",
        "### What to look at",
    ]
    places = [found.index(mark) for mark in marks]
    assert places == sorted(places)
    assert found.startswith(marks[0] + "\n")


def test_a_row_says_version_digest_replicas_and_metrics_old_and_new() -> None:
    said = facts("0.90", (gate(),), digest="sha256:" + "2" * 64, f1="0.80", latency="3")
    old = "sha256:" + "1" * 64
    review = with_(BUMP, releases=(release(digests=(old, None), after=("v1.3.0", 4)),), facts={"m": said})
    (line,) = [line for line in text(review).splitlines() if line.startswith("| <code>m")]
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert cells == [
        "<code>m</code>",
        "<code>production</code>",
        "<code>v1.2.0</code> → <code>v1.3.0</code>",
        f"<code>sha256:{'1' * 12}</code> → <code>sha256:{'2' * 12}</code>",
        "<code>2</code> → <code>4</code>",
        "<code>f1</code> <code>0.90</code> → <code>0.80</code> (**failed**)<br><code>latency</code> - → <code>3</code>",
    ]


def test_the_headline_says_the_verdict() -> None:
    assert "1 update, nothing stops it\n" in text(BUMP)
    assert "stopped by 1 finding\n" in text(with_(BUMP, violations=(finding(),)))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"problems": ("Pulumi.x.yaml:1: wrong",)}, "Pulumi.x.yaml:1: wrong"),
        ({"preview": Preview(problems=("error: cannot reach the cluster",))}, "cannot reach the cluster"),
        ({"preview": Preview(steps=(step("replace", "Service"),))}, "Service ml-production/m"),
        ({"preview": Preview(steps=(step("delete", "Service"),))}, "Service ml-production/m"),
        ({"facts": {"m": facts(problem="f1 0.80 is below 0.85", known=True)}}, "0.80 is below 0.85"),
        ({"facts": {"m": facts(problem="the tag was moved", known=True)}}, "the tag was moved"),
        (
            {"facts": {"m": facts(problem="the registry is down")}, "gated": frozenset({"m"})},
            "the registry is down",
        ),
        ({"violations": (finding(),)}, "has one replica"),
        ({"features": FeaturePlan(problem="the registry cannot be read")}, "the registry cannot be read"),
    ],
)
def test_what_stops_a_merge_is_named(more: dict[str, Any], said: str) -> None:
    review = with_(BUMP, **more)
    assert failed([review])
    (listed,) = re.findall(r"### What stops it\n\n((?:- .*\n)+)", text(review))
    assert said in listed


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"facts": {"m": facts(verdicts=(gate(passed=True),))}, "gated": frozenset({"m"})},
        {"facts": {"m": facts(problem="no image registry can be asked")}},
        {"violations": (finding(Level.ADVISORY),)},
        {"releases": (), "preview": Preview(unchanged=9), "changes": ()},
        {"features": FeaturePlan(changes=(FEATURE,))},
    ],
)
def test_what_does_not_stop_a_merge(more: dict[str, Any]) -> None:
    assert not failed([with_(BUMP, **more)])
    assert "What stops it" not in text(with_(BUMP, **more))


def test_a_preview_that_failed_partway_is_reported_as_incomplete() -> None:
    preview = Preview(steps=BUMP.preview.steps, problems=("error: gone",))
    found = text(with_(BUMP, preview=preview))
    assert "this is incomplete" in found
    assert "no complete preview" in found


def test_the_features_that_change() -> None:
    named = "**removed** feature view <code>posts&#95;v1</code>\n\n```diff\n-ttl: 604800s\n```\n"
    assert named in text(with_(BUMP, features=FeaturePlan(changes=(FEATURE,))))
    assert "No change." in text(with_(BUMP, features=FeaturePlan()))
    assert "this is the first time" in text(with_(BUMP, features=FeaturePlan(first=True)))
    assert "Features of" not in text(BUMP)


def test_what_stays_in_the_cluster_is_said() -> None:
    preview = Preview(steps=(step("delete", "PersistentVolumeClaim", kept=True),))
    found = text(with_(BUMP, preview=preview))
    assert "| **delete** (no file explains it) (it stays in the cluster) |" in found
    assert "What stops it" not in found


NASTY = [
    "```\n<script>",
    "a | b",
    "a\\| b",
    "`x` | <b>",
    "</details>",
    "@team #1 :tada:",
    "**bold** _it_ ~~no~~",
    "[a](https://example.com)",
    "https://example.com",
    "www.example.com",
    "<!-- x",
    "&lt;&amp;",
    "a\rb",
    "\x00",
    "![i](x)",
    "$x$",
    "\ud800",
    "\u202e",
]
SAID = st.one_of(st.sampled_from(NASTY), st.text(max_size=40), st.lists(st.sampled_from(NASTY)).map(" ".join))


@given(SAID, SAID)
def test_nothing_gets_out_of_a_cell(one: str, other: str) -> None:
    table = rendered(f"{table_head(('a', 'b'))}\n{row((code(one), code(other)))}\n")
    body = table.partition("<tbody>")[2]
    tags = re.findall(r"<[^>]*>", body)
    assert [tag for tag in tags if tag not in {"<code>", "</code>"}] == [
        *("<tr>", "<td>", "</td>", "<td>", "</td>", "</tr>"),
        *("</tbody>", "</table>"),
    ]


@given(SAID)
def test_a_value_is_shown_as_it_is(said: str) -> None:
    shown = rendered(f"said: {code(said)}").replace("<code>", "").replace("</code>", "").strip()
    inside = shown.removeprefix("<p>said: ").removesuffix("</p>")
    assert html.unescape(inside) == (in_line(" ".join(said.split())) or "-")


@given(SAID)
def test_nothing_gets_out_of_a_fence(said: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"{fence(said, 'diff')}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_a_long_value_is_cut() -> None:
    assert len(code("x" * 100_000)) < LONGEST_VALUE + 50


def big(count: int) -> StageReview:
    names = [f"m{number:04}" for number in range(count)]
    return with_(
        BUMP,
        releases=tuple(release(name) for name in names),
        preview=Preview(steps=tuple(step("update", "Deployment", name, fields=("spec",)) for name in names)),
        changes=tuple(
            changed("Deployment", name, {"value": "a\n" * 40}, {"value": "b\n" * 40}) for name in names
        ),
        look_at=tuple(f"point {number}" for number in range(count)),
    )


@pytest.mark.parametrize("count", [1, 10, 100, 1000, 4000])
def test_a_page_fits_in_a_comment(count: int) -> None:
    found = text(big(count))
    assert len(found.encode()) <= LIMIT_BYTES < 65_536
    assert found.count("\n```") % 2 == 0
    assert found.count("<details>") == found.count("</details>") == 1


def test_diffs_are_the_first_to_go_and_the_page_says_how_to_see_them() -> None:
    found = text(big(150))
    assert all(f"| <code>m{number:04}</code>" in found for number in range(150))
    (said,) = re.findall(r"\*\*(\d+) of 150 objects are left out\*\*.*: (.*)", found)
    assert int(said[0]) < 150
    assert said[1] == "<code>python -m delivery review main..HEAD --stage production --full</code>"
    assert "left out" not in text(big(150), limit=None)


def test_a_diff_that_is_too_long_does_not_hide_those_after_it() -> None:
    review = with_(BUMP, changes=(changed("ConfigMap", after={"value": "x" * 99_999}), changed("Deployment")))
    found = text(review)
    assert re.search(r"\+  value: x{190}… [\d,]+ characters are left out", found)
    assert "+  value: new" in found
    assert "left out" not in text(review, limit=None)


@given(st.lists(st.lists(st.text(max_size=30), max_size=20), max_size=6), st.integers(0, 3000))
def test_whatever_the_items_are_the_limit_holds(items: Sequence[Sequence[str]], limit: int) -> None:
    blocks = [Block(head=f"h{i}", items=tuple(some), rank=-i) for i, some in enumerate(items)]
    assert len(fitted(blocks, "command", limit).encode()) <= limit
