"""What is read of the Feast definitions, and what is refused: each message names file, line, reason and fix."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.files.problems import Problem
from components.loading.features.files import load_definitions
from components.loading.features.source import read_definitions
from components.loading.stack_files import load_stack
from components.settings.feature_definitions import ViewKind
from delivery.checking.check import check
from delivery.cli import app
from tests.support.features import ENTITIES, STORE, VIEWS, write_features
from tests.support.projects import GOOD_STACK, MODEL, problems, project

FILES = {"entities.py": ENTITIES, "views.py": VIEWS}


def reads(service: str) -> str:
    """A model file that reads a service."""
    return f"{MODEL}features: {{service: {service}}}\n"


def problem(text: str) -> Problem:
    """The one problem that a change of the views makes."""
    _, found = read_definitions({"entities.py": ENTITIES, "views.py": text})
    (only,) = found
    return only


def test_entities_views_and_services_are_read_without_running_anything() -> None:
    definitions, problems = read_definitions(FILES)

    assert problems == []
    assert definitions.entities["author"].join_key == "author_id"
    view = definitions.views["author_posts"]
    assert view.entities == ("author",)
    # A column that tells entities apart is no feature.
    assert view.features == {"posts_per_day": "Float32", "karma": "Int64"}
    assert definitions.services["sentiment_v1"].features == {"author_posts": ("posts_per_day", "karma")}


def test_other_ways_to_write_the_same_are_read_too() -> None:
    text = """\
import feast
from feast import BatchFeatureView as Batch, Field as F
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Float64
from entities import author as who

batch = Batch(name="b", entities=[who], schema=[F(name="x", dtype=Array(Float64))], source=posts)

@on_demand_feature_view(sources=[batch], schema=[F(name="y", dtype=Float64)])
def doubled(inputs):
    return inputs

service: feast.FeatureService = feast.FeatureService(name="s", features=[batch[["x"]], doubled])
"""
    definitions, problems = read_definitions({"entities.py": ENTITIES, "sub/more.py": text})

    assert problems == []
    assert definitions.views["b"].features == {"x": "Array(Float64)"}
    assert definitions.views["doubled"].kind is ViewKind.ON_DEMAND
    assert definitions.services["s"].features == {"b": ("x",), "doubled": ("y",)}
    assert definitions.materialized == ("b",)


@pytest.mark.parametrize(
    ("old", "new", "reason", "fix"),
    [
        ('name="sentiment_v1"', "name=NAME", "is no text", "write it out as a text"),
        ("features=[author_posts]", "features=everything()", "features is no list", "write it out"),
        (
            "features=[author_posts]",
            "features=[elsewhere]",
            "is no view that is defined here",
            "name the variable",
        ),
        (
            "features=[author_posts]",
            'features=[author_posts[["fame"]]]',
            "has no feature fame",
            "posts_per_day",
        ),
        ("sentiment_v1 =", "if True:\n  sentiment_v1 =", "is not at the top of the module", "at the top"),
        ("sentiment_v1 = F", "print(F", "is no Python", "correct the line"),
        ("sentiment_v1 = ", "services = list(", "is no Python", "correct the line"),
        ('name="sentiment_v1", ', "", "has no name=", 'add name="..."'),
    ],
)
def test_what_only_running_it_would_tell_is_refused(old: str, new: str, reason: str, fix: str) -> None:
    assert old in VIEWS
    found = problem(VIEWS.replace(old, new))

    assert found.file == "features/views.py"
    assert found.line is not None
    assert reason in found.reason
    assert fix in found.fix


def test_a_view_without_a_schema_is_refused() -> None:
    start, end = VIEWS.index("    schema="), VIEWS.index("    source=")
    _, found = read_definitions({"entities.py": ENTITIES, "views.py": VIEWS[:start] + VIEWS[end:]})

    assert "has no schema" in found[0].reason


def test_a_name_that_is_defined_twice_is_told_with_both_places() -> None:
    again = 'again = FeatureService(name="sentiment_v1", features=[author_posts])\n'
    found = problem(VIEWS + again)

    assert "defined twice, at first in features/views.py:20" in found.reason


def test_a_service_with_two_features_of_one_name_is_refused(tmp_path: Path) -> None:
    second = VIEWS + (
        'other = FeatureView(name="other", entities=[author], schema=[Field(name="karma", dtype=Int64)])\n'
        'both = FeatureService(name="both", features=[author_posts, other])\n'
    )
    write_features(tmp_path, entities=ENTITIES, views=second)
    _, (found,) = load_definitions(tmp_path)

    assert found.field == "both"
    assert "takes karma from author_posts and from other" in found.reason


def stack_problems(
    folder: Path, services: dict[str, str], views: str = VIEWS, store: str = STORE
) -> list[str]:
    """What is wrong with a stage whose models read the services, as it is told."""
    write_features(folder, entities=ENTITIES, views=views)
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in services)
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:models:\n{entries}{store}"
    files = {name: reads(service) for name, service in services.items()}
    return [str(each) for each in problems(project(folder, text, **files))]


def test_a_service_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v2"})

    assert text == (
        "models/a.yaml:6: features.service = sentiment_v2: is no FeatureService that features/ defines. "
        "Fix: write sentiment_v1, or define it in features/; there are sentiment_v1"
    )


def test_reading_features_without_a_store_is_told(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1"}, store="")

    assert "models/a.yaml:6: features: reads features, and the stage has no feature store" in text
    assert "add ml-deployments:featureStore to Pulumi.test.yaml" in text


CONFLICT = VIEWS + (
    'other = FeatureView(name="other", entities=[author], schema=[Field(name="karma", dtype=Float32)], source=posts)\n'
    'ranking_v1 = FeatureService(name="ranking_v1", features=[other])\n'
)


def test_two_models_that_read_one_feature_with_two_types_conflict(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1", "b": "ranking_v1"}, CONFLICT)

    assert text.startswith(
        "models/b.yaml:6: features.service = ranking_v1: gives the feature karma as Float32, and "
    )
    assert "sentiment_v1, which a reads, as Int64. Fix: give it one type" in text


def test_the_same_feature_with_the_same_type_is_no_conflict(tmp_path: Path) -> None:
    write_features(
        tmp_path, entities=ENTITIES, views=CONFLICT.replace('"karma", dtype=Float32', '"karma", dtype=Int64')
    )
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in "ab")
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:models:\n{entries}{STORE}"
    files = {"a": reads("sentiment_v1"), "b": reads("ranking_v1")}

    assert len(load_stack(project(tmp_path, text, **files), "test").settings.feature_readers) == 2


def test_two_models_whose_keys_have_two_types_conflict(tmp_path: Path) -> None:
    more = (
        "from feast import Entity, ValueType\n"
        'fan = Entity(name="fan", join_keys=["author_id"], value_type=ValueType.STRING)\n'
        'other = FeatureView(name="other", entities=[fan], schema=[Field(name="fame", dtype=Float32)], source=posts)\n'
        'fame_v1 = FeatureService(name="fame_v1", features=[other])\n'
    )
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1", "b": "fame_v1"}, VIEWS + more)

    assert "gives the key author_id as STRING, and sentiment_v1, which a reads, as INT64" in text


def test_a_freshness_of_no_view_is_told(tmp_path: Path) -> None:
    store = STORE + "    watch: {freshnessByView: {author_post: 2h}}\n"
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1"}, store=store)

    assert "config.ml-deployments:featureStore.watch.freshnessByView.author_post = 2h: is no view" in text
    assert "name one of author_posts" in text


def test_a_model_named_like_a_part_of_the_store_is_told(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"feature-store": "sentiment_v1"})

    assert "is the name of a part of the stage's feature store. Fix: rename the model" in text


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("my-views.py", "", "is no name of a Python module"),
        ("feature_store.yaml", "", "the program makes it"),
        ("big.py", "#" * 1_000_001, "more than the 1000000 that one ConfigMap holds"),
    ],
)
def test_files_that_cannot_be_brought_into_the_cluster_are_told(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    write_features(tmp_path)
    (tmp_path / "features" / name).write_text(text)
    _, problems = load_definitions(tmp_path)

    assert [reason in each.reason for each in problems] == [True]


def test_an_unquoted_version_is_told_once(tmp_path: Path) -> None:
    texts = stack_problems(tmp_path, {"a": "sentiment_v1"}, store=STORE.replace('"0.67.0"', "0.67"))

    assert len(texts) == 1
    assert "featureStore.version = 0.67: must be a text" in texts[0]


def test_definitions_that_no_stage_uses_are_checked_too(tmp_path: Path) -> None:
    folder = project(tmp_path)
    write_features(folder, wrong="def")
    (found,) = check(folder).problems

    assert found.file == "features/wrong.py"


@pytest.mark.parametrize(
    ("pinned", "noted"),
    [
        ("feast[redis]==0.67.0 \\\n    --hash=sha256:00\n", False),
        ("dask==1\nfeast==0.68.1\n", True),
        (None, False),
    ],
)
def test_another_feast_than_the_one_that_plans_is_a_note_and_no_problem(
    tmp_path: Path, pinned: str | None, noted: bool
) -> None:
    folder = project(tmp_path, GOOD_STACK + STORE)
    write_features(folder)
    if pinned is not None:
        (folder / "features" / "requirements.txt").write_text(pinned)
    result = CliRunner().invoke(app, ["check", "--project", str(folder)])
    assert result.exit_code == 0
    note = (
        "test: the feature store runs Feast 0.67.0, and features/requirements.txt has 0.68.1: "
        "the plan of a review is made with 0.68.1"
    )
    assert (note in result.output) == noted
    assert ("the plan of a review" in result.output) == noted
