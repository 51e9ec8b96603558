"""Mistakes in feature definitions: all at once, each at its own line, and what Feast would refuse among them.

Each rule of Feast was tried with Feast itself; tests/integration/test_feature_definitions.py does so for some.
"""

from pathlib import Path

import pytest

from components.files.problems import Problem
from components.loading.features.files import load_definitions
from components.loading.features.source import read_definitions
from tests.support.features import ENTITIES, STORE, VIEWS, write_features
from tests.support.projects import MODEL, problems, project

MORE = """
extra = FeatureView(
    name="extra",
    entities=[author],
    schema=[Field(name="age", dtype=Int64)],
    source=posts,
)
"""
START = VIEWS.count("\n") + 2


def found(more: str, entities: str = ENTITIES, **files: str) -> list[Problem]:
    """What is wrong with the usual definitions and more of them in the same file."""
    texts = {f"{name}.py": text for name, text in files.items()}
    _, problems = read_definitions({"entities.py": entities, "views.py": VIEWS + more, **texts})
    return problems


def lines(problems: list[Problem]) -> list[tuple[int | None, str]]:
    """Line, from the begin of what was added on, and the begin of the reason."""
    return [(p.line and p.line - START, " ".join(p.reason.split()[:4])) for p in problems]


def test_mistakes_of_one_definition_are_told_together_each_at_its_own_line() -> None:
    text = """
extra = FeatureView(
    name=NAME,
    entities=[
        author,
        nobody,
    ],
    schema=[
        Field(
            name="age",
            dtype=Integer,
        ),
        Field(dtype=Int64),
        Field(name="size"),
        everything(),
    ],
    source=posts,
)
"""
    assert lines(found(text)) == [
        (1, "is no text, so"),
        (4, "is no entity that"),
        (9, "is no type of"),
        (11, "has no name="),
        (12, "has no dtype"),
        (13, "is no Field(name=..., dtype=...)"),
    ]


def test_what_names_something_unreadable_is_not_told_on_top() -> None:
    service = 'both = FeatureService(name="both", features=[author_posts, extra[["age"]], extra[["no"]]])\n'
    (only,) = found(MORE.replace('name="extra"', "name=NAME") + service)
    assert only.reason.startswith("is no text")
    # The entity is what is wrong, and neither its views nor their services.
    (only,) = found("", entities=ENTITIES.replace('"author"', "NAME"))
    assert only.file == "features/entities.py"
    (only,) = found("", entities="def")
    assert (only.file, only.reason.partition(":")[0]) == ("features/entities.py", "is no Python")


def test_what_is_given_without_its_name_is_not_told_to_be_missing() -> None:
    told = found(
        MORE.replace('Field(name="age", dtype=Int64)', 'Field("age", Int64)').replace("source=", "**")
    )
    assert [p.field for p in told] == ["**posts", "'age'", "Int64"]


def test_what_names_a_definition_that_is_not_at_the_top_is_not_told_on_top() -> None:
    hidden = MORE.replace("\nextra =", "\nif True:\n  extra =")
    service = 'second = FeatureService(name="second", features=[extra])\n'
    (only,) = found(hidden + service)
    assert only.reason.startswith("is not at the top")


def test_what_names_a_file_that_is_not_utf_8_is_not_told_on_top(tmp_path: Path) -> None:
    write_features(tmp_path, views=VIEWS)
    (tmp_path / "features" / "entities.py").write_bytes(ENTITIES.encode("utf-16"))
    _, (only,) = load_definitions(tmp_path)
    assert (only.file, only.reason) == ("features/entities.py", "is not UTF-8")


def test_two_features_of_one_name_are_told_at_the_second_view() -> None:
    again = MORE.replace("age", "karma")
    service = 'both = FeatureService(\n    name="both",\n    features=[\n        author_posts,\n        extra,\n])\n'
    (only,) = found(again + service)
    assert only.line == START + again.count("\n") - 1 + 4
    twice = service.replace("extra", 'author_posts[["karma"]]')
    (only,) = found(twice)
    assert "takes karma twice from author_posts" in only.reason
    halves = (
        'h = FeatureService(name="h", features=[author_posts[["karma"]], author_posts[["posts_per_day"]]])\n'
    )
    definitions, none = read_definitions({"entities.py": ENTITIES, "views.py": VIEWS + halves})
    assert (none, definitions.services["h"].features) == ([], {"author_posts": ("karma", "posts_per_day")})


def test_problems_of_definitions_the_stage_and_a_model_are_told_together(tmp_path: Path) -> None:
    write_features(tmp_path, entities=ENTITIES, views=VIEWS.replace("dtype=Float32", "dtype=Real"))
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in "ab")
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:requireDigest: true\n  {STORE.strip()}\n"
    text += f"  ml-deployments:models:\n{entries}"
    told = problems(project(tmp_path, text, a=MODEL, b=MODEL.replace("owner: team-a\n", "")))
    assert [(p.file, p.reason) for p in told] == [
        ("Pulumi.test.yaml", "is missing, and test requires one"),
        ("Pulumi.test.yaml", "is required and missing"),
        ("features/views.py", "is no type of feast.types"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        (
            '"extra"',
            '"Author_Posts"',
            1,
            "differs from author_posts in features/views.py:10 in its case only",
        ),
        ('"extra"', '"a@b"', 1, "has @ in its name"),
        ('"extra"', '"a:b"', 1, "has : in its name"),
        ("[author]", "[author, author]", 2, "two entities with the join key author_id"),
        ("[author]", "(author,)", 2, "entities is a tuple"),
        (
            "[Field(",
            "[Field(name='author_id', dtype=String), Field(",
            3,
            "the entity author in features/entities",
        ),
        ("dtype=Int64", "dtype=ValueType.INT64", 3, "is no type of feast.types"),
        ("dtype=Int64", "dtype=int", 3, "is no type of feast.types"),
        ("dtype=Int64", "dtype=Array", 3, "is no type of feast.types"),
        ("dtype=Int64", "dtype=Array(Integer)", 3, "is no type of feast.types"),
        ("dtype=Int64", "dtype=Array(ZonedTimestamp)", 3, "cannot be in a feature's Array"),
        ("dtype=Int64", "dtype=Set(Json)", 3, "cannot be in a feature's Set"),
        ("dtype=Int64", "dtype=Struct({})", 3, "has no field"),
        ("dtype=Int64", "dtype=Int64, kind=1", 3, "kind is no argument of Field"),
        ('name="age", ', '"age", ', 3, "has no name, and Field takes arguments by their names only"),
        ("source=posts", "batch_source=posts", 4, "batch_source is no argument of FeatureView"),
        ("source=posts", "**common", 4, "only running it would tell which"),
        ("source=posts", "source=author_posts", 4, "a view of a view without sink_source="),
        ("source=posts", 'source=posts, version="2"', 4, "is no version of a view"),
        ("FeatureView(", "BatchFeatureView(", None, None),
        ("source=posts", "source=pushed", 4, "is a PushSource without batch_source="),
        ('[Field(name="age", dtype=Int64)]', "[]", 3, "names no feature"),
        ('name="age"', 'name="author_id"', 3, "names no feature"),
        (
            "FeatureView(",
            "StreamFeatureView(",
            4,
            "is a FileSource, and a StreamFeatureView needs a stream source",
        ),
    ],
)
def test_a_view_that_feast_would_refuse(old: str, new: str, line: int | None, reason: str | None) -> None:
    imports = (
        "from feast import BatchFeatureView, PushSource, StreamFeatureView, ValueType\n"
        "from feast.types import Array, Int64, Json, Set, String, Struct, ZonedTimestamp\n"
        'pushed = PushSource(name="pushed")\n'
    )
    told = found(imports + MORE.replace(old, new))
    if reason is None:
        assert told == []
        return
    assert any(p.line == START + 3 + (line or 0) and reason in p.reason for p in told), told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('s = FeatureService(name="s")', "has no features="),
        ('s = FeatureService(name="s", features=(author_posts,))', "features is a tuple"),
        ('s = FeatureService(name="s", features=[author_posts["karma"]])', "has no list in its brackets"),
        ('s = FeatureService(name="s", features=[posts])', "is made by FileSource(...), and is no view"),
        ('s = FeatureService(name="s", features=[author])', "is made by Entity(...), and is no view"),
        (
            'from feast import Entity\ne = Entity(name="e", join_key="e_id")',
            "join_key is no argument of Entity",
        ),
        ('from feast import Entity\ne = Entity(name="e", value_type=Int64)', "is no ValueType of Feast"),
        (
            "from feast import BatchFeatureView\n"
            'b = BatchFeatureView(name="b", schema=[Field(name="x", dtype=Int64)])',
            "has no source= or udf= or feature_transformation= or aggregations=",
        ),
        (
            "from feast import StreamFeatureView\n"
            's = StreamFeatureView(name="s", schema=[Field(name="x", dtype=Int64)])',
            "has no source=",
        ),
        (
            "from feast.on_demand_feature_view import on_demand_feature_view\n"
            "@on_demand_feature_view(schema=[Field(name='x', dtype=Int64)])\ndef d(inputs):\n    return inputs",
            "has no sources= or input_schema=",
        ),
        (
            'more = FileSource(name="Posts", path="a.parquet")',
            "the source Posts has the name of another one in",
        ),
        ("from .entities import author", "is a relative import"),
        ("from features.entities import author", "Feast runs inside features/"),
        ("from feast.types import *", "takes every name"),
        ("from entities import *", "takes every name"),
        (
            'from feast import Project\np = Project(name="p")',
            "only the project that feature_store.yaml names",
        ),
    ],
)
def test_another_definition_that_feast_would_refuse_or_nobody_could_read(text: str, reason: str) -> None:
    (only,) = found(f"{text}\n")
    assert only.line is not None
    assert only.line >= START - 1
    assert reason in only.reason


def test_a_kind_of_view_that_is_not_read_is_told_by_its_name_and_not_where_it_is_taken() -> None:
    text = """from feast import LabelView
labels = LabelView(name="labels", entities=[author], schema=[Field(name="good", dtype=Int64)])
s = FeatureService(name="s", features=[labels])
"""
    (only,) = found(text)
    assert (only.line, only.field) == (START, "LabelView")
    assert "a LabelView is not read here" in only.reason


def test_what_changes_nothing_that_a_model_reads_is_no_problem() -> None:
    text = """from feast import Entity, PushSource
named = Entity(name="named", join_keys=None, value_type=None)
from feast.permissions.permission import Permission
pushed = PushSource(name="pushed", batch_source=posts)
allowed = Permission(name="allowed", types=[FeatureView])
"""
    assert found(text) == []


def test_modules_and_types_are_found_however_they_are_imported() -> None:
    text = """import entities
import feast as f
import feast.types as t
from feast.types import Int64 as Whole
from feast.types import PrimitiveFeastType

other = f.FeatureView(
    name="other",
    entities=[entities.author],
    schema=[
        f.Field(name="a", dtype=t.Array(t.Array(t.Int64))),
        f.Field(name="b", dtype=Whole),
        f.Field(name="c", dtype=PrimitiveFeastType.UNIX_TIMESTAMP),
        f.Field(name="author_id", dtype=Whole),
    ],
)
"""
    definitions, problems = read_definitions({"entities.py": ENTITIES, "views.py": text})
    assert problems == []
    assert definitions.views["other"].features == {
        "a": "Array(Array(Int64))",
        "b": "Int64",
        "c": "UnixTimestamp",
    }
    assert definitions.views["other"].entities == ("author",)
