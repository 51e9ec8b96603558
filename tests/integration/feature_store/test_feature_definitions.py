"""`make features` with real Feast: what it writes about definitions, and what is wrong with those that it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.files.sources import Sources
from components.loading.feature_definitions import FILE, FOLDER, load_definitions
from components.settings.feature_definitions import ViewKind
from sandbox.harness.clone import CHECKOUT
from sandbox.harness.feature_store.store import PYTHON, store_of
from tests.integration.feature_store.test_features import HEADING, plan
from tests.support.features import DEFINED, ENTITIES, VIEWS, write_features

HEAD = """\
from feast import BatchFeatureView, Entity, FeatureService, FeatureView, Field, FileSource, LabelView, Project
from feast import PushSource, StreamFeatureView, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Float64, Int64, Json, Set, String, Struct, ZonedTimestamp
from entities import author
from views import author_posts, posts
"""
LINE = HEAD.count("\n") + 1


def read(project: Path) -> subprocess.CompletedProcess[str]:
    """What `make features` runs."""
    command = [
        sys.executable,
        "-m",
        "delivery",
        "features",
        "--python",
        str(PYTHON),
        "--project",
        str(project),
    ]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def refused(project: Path, **files: str) -> list[tuple[str, str]]:
    """Place, and what is wrong there, of each problem of the usual definitions and more of them."""
    write_features(
        project,
        DEFINED,
        views=VIEWS,
        entities=ENTITIES,
        **{name: HEAD + text for name, text in files.items()},
    )
    before = (project / FILE).read_text()
    done = read(project)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert (project / FILE).read_text() == before
    lines = [line.strip().partition(": ") for line in done.stderr.splitlines()[1:]]
    return [(place, problem) for place, _, problem in lines]


@pytest.mark.parametrize("project", [".", "sandbox/harness/feature_store"])
def test_the_committed_file_is_what_feast_writes(tmp_path: Path, project: str) -> None:
    store_of(tmp_path, CHECKOUT / project / FOLDER)
    (tmp_path / FILE).unlink()
    done = read(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / FILE).read_text() == (CHECKOUT / project / FILE).read_text()


def test_the_unit_tests_know_what_feast_writes(tmp_path: Path) -> None:
    write_features(tmp_path)
    known = (tmp_path / FILE).read_text()
    assert read(tmp_path).returncode == 0
    assert (tmp_path / FILE).read_text() == known


def test_feast_plans_and_applies_what_the_program_reads(tmp_path: Path) -> None:
    store = store_of(tmp_path, CHECKOUT / FOLDER)
    definitions = store.stack.definitions
    first = plan(store)
    assert first.returncode == 0, first.stderr
    assert [
        name
        for name in (*definitions.entities, *definitions.views, *definitions.services)
        if f" {name}\n" not in first.stdout
    ] == []
    with store.redis():
        store.feast("apply", "--no-progress")
    assert plan(store).stdout == f"{HEADING}No change.\n"


def test_whatever_way_it_is_written_what_feast_reads_is_written_down(tmp_path: Path) -> None:
    text = """\
from feast.permissions.permission import Permission
named = Entity(name="named", join_keys=None, value_type=None)
if True:
    pushed = PushSource(name="pushed", batch_source=posts)
stream = StreamFeatureView(name="s", entities=[author], schema=[Field(name="n", dtype=Int64)], source=pushed)
batch = BatchFeatureView(
    name="b", entities=[author], schema=[Field(name="x", dtype=Array(Array(Float64)))], source=posts
)
globals().update({
    f"view_{name}": FeatureView(name=name, schema=[Field(name=name, dtype=Int64)], source=posts) for name in ["p", "q"]
})
@on_demand_feature_view(sources=[author_posts], schema=[Field(name="y", dtype=Int64)], mode="python")
def counted(inputs):
    return {"y": [1]}
halves = FeatureService(name="halves", features=[author_posts[["posts_per_day"]], author_posts[["karma"]]])
service = FeatureService(name="all", features=["p", batch[["x"]], counted])
allowed = Permission(name="allowed", types=[FeatureView])
"""
    write_features(tmp_path, entities=ENTITIES, views=VIEWS, more=HEAD + text)
    done = read(tmp_path)
    assert done.returncode == 0, done.stderr
    definitions, problems = load_definitions(Sources.of(tmp_path))
    assert problems == []
    assert (definitions.entities["named"].join_key, definitions.entities["named"].value_type) == (
        "named",
        None,
    )
    assert {name: (view.kind, dict(view.features)) for name, view in definitions.views.items()} == {
        "author_posts": (ViewKind.BATCH, {"karma": "Int64", "posts_per_day": "Float32"}),
        "b": (ViewKind.BATCH, {"x": "Array(Array(Float64))"}),
        "counted": (ViewKind.ON_DEMAND, {"y": "Int64"}),
        "p": (ViewKind.BATCH, {"p": "Int64"}),
        "q": (ViewKind.BATCH, {"q": "Int64"}),
        "s": (ViewKind.STREAM, {"n": "Int64"}),
    }
    assert (definitions.views["p"].entities, definitions.views["s"].entities) == ((), ("author",))
    assert definitions.services["halves"].features == {"author_posts": ("karma", "posts_per_day")}
    assert definitions.services["all"].features == {"b": ("x",), "counted": ("y",), "p": ("p",)}


VIEW = 'FeatureView(name="extra", entities=[author], schema=[Field(name="age", dtype=Int64)], source=posts)'
WRONG_VIEWS = [
    ("[author]", "[author, author]", "should not have entities that share a join key"),
    ("[author]", "(author,)", 'argument "entities" (tuple)'),
    ("[Field(", '[Field(name="author_id", dtype=String), Field(', "does not match the inferred type String"),
    ("dtype=Int64", "dtype=ValueType.INT64", 'argument "dtype"'),
    ("dtype=Int64", "dtype=int", 'argument "dtype"'),
    ("dtype=Int64", "dtype=Array", 'argument "dtype"'),
    ("dtype=Int64", "dtype=Array(ZonedTimestamp)", "not supported as a base type for Array"),
    ("dtype=Int64", "dtype=Struct({})", "must have at least one field"),
    ("dtype=Int64", "dtype=Int64, kind=1", "unexpected keyword argument 'kind'"),
    ('name="age", ', '"age", ', "takes 1 positional argument"),
    ("source=posts", "batch_source=posts", "unexpected keyword argument 'batch_source'"),
    ("source=posts", "source=author_posts", "must specify `sink_source`"),
    ("source=posts", 'source=PushSource(name="p")', "A batch_source needs to be specified"),
    ("FeatureView(", "StreamFeatureView(", "need a stream source"),
    (
        "source=posts",
        'source=PushSource(name="p", batch_source=posts), name="x"',
        "keyword argument repeated",
    ),
    (
        "Int64)]",
        "Int64, vector_index=True), Field(name='v', dtype=Array(Int64), vector_index=True)]",
        "Only one vector feature",
    ),
]
WRONG = [
    *((f"extra = {VIEW.replace(old, new)}", reason) for old, new, reason in WRONG_VIEWS),
    ('s = FeatureService(name="s")', "missing 1 required keyword-only argument: 'features'"),
    ('s = FeatureService(name="s", features=(author_posts,))', "(tuple) is not a list"),
    ('s = FeatureService(name="s", features=[author_posts["karma"]])', "AssertionError"),
    ('s = FeatureService(name="s", features=[posts])', 'item 0 of argument "features"'),
    ('s = FeatureService(name="s", features=[author])', 'item 0 of argument "features"'),
    ('s = FeatureService(name="s", features=[author_posts[["no"]]])', "Feature no does not exist"),
    ('s = FeatureService(name="s", features=[nobody])', "name 'nobody' is not defined"),
    ('e = Entity(name="e", join_key="e_id")', "unexpected keyword argument 'join_key'"),
    ('e = Entity(name="e", value_type=Int64)', 'argument "value_type"'),
    ('e = Entity(name="e", join_keys=["a", "b"])', "may only have a single join key"),
    (
        'b = BatchFeatureView(name="b", schema=[Field(name="x", dtype=Int64)])',
        "requires at least one of: source",
    ),
    ('s = StreamFeatureView(name="s", schema=[])', "missing 1 required keyword-only argument: 'source'"),
    ("@on_demand_feature_view(schema=[])\ndef d(inputs): ...", "Either 'sources' or 'input_schema'"),
    ("from .entities import author", "attempted relative import"),
    ("from features.entities import author", "No module named 'features'"),
    ("from components import settings", "No module named 'components'"),
    ("raise SystemExit(0)", "SystemExit: 0"),
    ("x = (", "SyntaxError"),
]


def test_what_feast_refuses_is_reported_together_each_with_its_line_and_feasts_reason(tmp_path: Path) -> None:
    files = {f"wrong_{number:02}": f"{text}\n" for number, (text, _) in enumerate(WRONG)}
    # Definitions that depend on a refused module are not reported in addition.
    found = refused(tmp_path, **files, follower="from wrong_00 import extra\n", json="")
    *problems, (place, shadowed) = sorted(found, key=lambda each: (each[0].startswith("features/json"), each))
    assert place == "features/json.py"
    assert "Feast takes another module for it, which is named json, too. Fix: rename it" in shadowed
    for number, ((place, said), (text, reason)) in enumerate(zip(problems, WRONG, strict=True)):
        file, _, line = place.partition(":")
        assert file == f"features/wrong_{number:02}.py", text
        assert LINE <= int(line) <= LINE + text.count("\n"), text
        assert said.startswith("Feast refuses it: "), text
        assert reason in said, text


def test_what_feast_refuses_only_when_it_applies_has_its_line_too(tmp_path: Path) -> None:
    changes = [
        ('"extra"', '"a@b"'),
        ('"extra"', '"a:b"'),
        ("Int64", "Set(Json)"),
        ("=posts", '=posts, version="2"'),
    ]
    text = "".join(
        f"view_{number} = {VIEW.replace(old, new).replace('extra', f'extra_{number}')}\n"
        for number, (old, new) in enumerate(changes)
    )
    found = refused(tmp_path, more=text)
    assert [place for place, _ in found] == [f"features/more.py:{LINE + number}" for number in range(4)]
    for (_, said), reason in zip(
        found,
        ["must not contain '@'", "must not contain ':'", "'JSON_SET'", "Invalid version string"],
        strict=True,
    ):
        assert reason in said


TAKEN = """\
p = Project(name="p")
nothing = FeatureView(name="nothing", entities=[author], source=posts)
key = FeatureView(name="key", entities=[author], schema=[Field(name="author_id", dtype=Int64)], source=posts)
inner = FeatureView(name="inner", entities=[Entity(name="e")], schema=author_posts.schema, source=posts)
again = Entity(name="author", join_keys=["id"], value_type=ValueType.INT64)
case = FeatureView(name="Author_Posts", entities=[author], schema=author_posts.schema, source=posts)
source = FileSource(name="Posts", path="a.parquet", timestamp_field="t")
service = FeatureService(name="sentiment_v1", features=[author_posts])
labels = LabelView(name="labels", entities=[author], schema=[Field(name="good", dtype=Int64)])
"""


def test_what_feast_silently_accepts_and_should_not_is_refused(tmp_path: Path) -> None:
    found = dict(refused(tmp_path, z=TAKEN))
    reasons = [
        "applies only the project that feature_store.yaml names",
        "nothing: names no feature, so Feast would take every column of its source",
        "key: names no feature",
        "inner: is of e, and no variable of a module holds such an entity",
        "the entity has the name of author in features/entities.py:3",
        "the view has the name of author_posts in features/views.py:9",
        "the source has the name of posts in features/views.py:8",
        "the service has the name of sentiment_v1 in features/views.py:20",
        "a LabelView is not supported here",
    ]
    assert len(found) == len(reasons)
    for number, reason in enumerate(reasons):
        assert reason in found[f"features/z.py:{LINE + number}"]


def test_a_service_that_no_model_could_read_is_refused(tmp_path: Path) -> None:
    text = """\
other = FeatureView(name="other", entities=[author], schema=[Field(name="karma", dtype=Int64)], source=posts)
both = FeatureService(name="both", features=[author_posts, other])
twice = FeatureService(name="twice", features=[author_posts, author_posts[["karma"]]])
named = FeatureService(name="named", features=[author_posts.with_name("x")])
mapped = FeatureService(name="mapped", features=[author_posts.with_join_key_map({"author_id": "id"})])
inner = FeatureService(name="inner", features=[FeatureView(name="v", schema=other.features, source=posts)])
"""
    found = refused(tmp_path, more=text)
    assert [place for place, _ in found] == [f"features/more.py:{LINE + number}" for number in range(1, 6)]
    for (_, said), reason in zip(
        found,
        [
            "both: takes karma from author_posts and from other, and a model reads it by its name alone",
            "twice: takes karma from author_posts twice",
            "named: takes author_posts under another name",
            "mapped: takes author_posts under another name, or by another key",
            "inner: takes v, and no variable of a module holds such a view",
        ],
        strict=True,
    ):
        assert reason in said


def test_definitions_that_are_all_gone_take_the_file_along(tmp_path: Path) -> None:
    write_features(tmp_path)
    for name in ("entities", "views"):
        (tmp_path / "features" / f"{name}.py").unlink()
    done = read(tmp_path)
    assert (done.returncode, done.stdout) == (0, f"features/ has no definitions, so there is no {FILE}.\n")
    assert not (tmp_path / FILE).exists()
