"""What is read of the feature definitions, and how a file that does not match them is refused."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from components.errors import Problem
from components.files.sources import Sources
from components.loading.feature_definitions import FILE, load_definitions
from components.settings.feature_definitions import ViewKind
from components.stack import load_stack
from delivery.checking.check import check
from delivery.cli import app
from delivery.features.definitions import definitions_text
from tests.support.features import (
    DEFINED,
    ENTITIES,
    STORE,
    VIEWS,
    defined,
    view,
    write_features,
)
from tests.support.projects import GOOD_STACK, MODEL, problems, project

RENEW = f"run `make features`, and commit {FILE}"


def reads(service: str) -> str:
    """A model file that reads a service."""
    return f"{MODEL}features: {{service: {service}}}\n"


def problem(folder: Path) -> Problem:
    """The one problem of a project's definitions."""
    _, (only,) = load_definitions(Sources.of(folder))
    return only


def test_what_feast_wrote_is_read_with_the_files_it_read(tmp_path: Path) -> None:
    write_features(tmp_path, defined(views={"doubled": view("OnDemandFeatureView", karma="Array(Float64)")}))
    definitions, found = load_definitions(Sources.of(tmp_path))
    assert found == []
    assert definitions.files == {"entities.py": ENTITIES, "views.py": VIEWS}
    assert definitions.feast == "0.67.0"
    assert definitions.entities["author"].join_key == "author_id"
    assert definitions.views["author_posts"].entities == ("author",)
    assert definitions.views["author_posts"].features == {"posts_per_day": "Float32", "karma": "Int64"}
    assert definitions.views["doubled"].kind is ViewKind.ON_DEMAND
    assert definitions.services["sentiment_v1"].features == {"author_posts": ("karma", "posts_per_day")}
    assert definitions.materialized == ("author_posts",)


def test_the_file_is_the_same_for_the_same_definitions_and_says_what_writes_it(tmp_path: Path) -> None:
    write_features(tmp_path)
    text = (tmp_path / FILE).read_text()
    assert text.startswith("# Written by `make features`")
    files = {"views.py": VIEWS, "entities.py": ENTITIES}
    assert definitions_text(files, dict(reversed(DEFINED.items()))) == text


def test_a_folder_without_definitions_needs_no_file(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "requirements.txt").write_text("feast==0.67.0\n")
    definitions, found = load_definitions(Sources.of(tmp_path))
    assert (dict(definitions.files), found) == ({}, [])


def test_sources_that_changed_since_feast_read_them_are_named(tmp_path: Path) -> None:
    write_features(tmp_path, more="SOME = 1\n", views=VIEWS, entities=ENTITIES)
    folder = tmp_path / "features"
    (folder / "more.py").unlink()
    (folder / "other.py").write_text("SOME = 1\n")
    (folder / "views.py").write_text(VIEWS + "\n")
    found = problem(tmp_path)
    line = (tmp_path / FILE).read_text().splitlines().index("sources:") + 1
    assert str(found) == (
        f"{FILE}:{line}: sources: do not match the definitions: views.py was changed, other.py was added, "
        f"more.py was removed. Fix: {RENEW}"
    )


def test_line_endings_are_not_a_change(tmp_path: Path) -> None:
    write_features(tmp_path)
    (tmp_path / "features" / "views.py").write_bytes(VIEWS.replace("\n", "\r\n").encode())
    assert load_definitions(Sources.of(tmp_path))[1] == []


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("karma: Int64", "karma: Float32", "checksum", "was changed after Feast wrote it"),
        ("checksum: ", "checksum: 0", "checksum", "was changed after Feast wrote it"),
        ("feast: ", "<<<<<<< HEAD\nfeast: ", "", "not valid YAML"),
        ("feast: 0.67.0\n", "feast: 0.67.0\nfeast: 0.68.0\n", "feast", "given twice"),
        ("format: 1\n", "format: 2\n", "format", "is not in format 1, which this program reads"),
        ("format: 1\n", "", "format", "is not in format 1, which this program reads"),
    ],
)
def test_a_file_that_is_not_as_feast_wrote_it_is_refused(
    tmp_path: Path, old: str, new: str, field: str, reason: str
) -> None:
    write_features(tmp_path)
    text = (tmp_path / FILE).read_text()
    assert text.count(old) == 1
    (tmp_path / FILE).write_text(text.replace(old, new))
    found = problem(tmp_path)
    assert (found.file, found.field, found.fix) == (FILE, field, RENEW)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"views": {"a": {"kind": "LabelView", "features": {}}}}, "is not one of the known values"),
        ({"owners": {}}, "unknown key"),
    ],
)
def test_a_file_of_another_writer_is_refused(tmp_path: Path, part: dict[str, Any], reason: str) -> None:
    write_features(tmp_path, {**DEFINED, **part})
    found = problem(tmp_path)
    assert (found.file, found.fix) == (FILE, RENEW)
    assert reason in found.reason
    assert found.line is not None


def test_definitions_without_their_file_are_refused_before_anything_is_rendered(tmp_path: Path) -> None:
    write_features(tmp_path)
    (tmp_path / FILE).unlink()
    found = problem(project(tmp_path, GOOD_STACK + STORE))
    assert str(found) == f"{FILE}: the file does not exist. Fix: {RENEW}"
    assert problems(tmp_path) == (found,)


def stack_problems(
    folder: Path, services: dict[str, str], defines: dict[str, Any] = DEFINED, store: str = STORE
) -> list[str]:
    """What is wrong with a stage whose models read the services, as it is reported."""
    write_features(folder, defines)
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in services)
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:models:\n{entries}{store}"
    files = {name: reads(service) for name, service in services.items()}
    return [str(each) for each in problems(project(folder, text, **files))]


def test_a_service_that_does_not_exist_is_reported_with_those_that_do(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v2"})

    assert text == (
        "models/a.yaml:6: features.service = sentiment_v2: is not a FeatureService that features/ defines. "
        "Fix: write sentiment_v1, or define it in features/; there are sentiment_v1"
    )


def test_reading_features_without_a_store_is_reported(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1"}, store="")

    assert "models/a.yaml:6: features: reads features, and the stage has no feature store" in text
    assert "add ml-deployments:featureStore to Pulumi.test.yaml" in text


def conflict(kind: str) -> dict[str, Any]:
    """The usual definitions, and a service whose karma is of a type."""
    return defined(views={"other": view(karma=kind)}, services={"ranking_v1": {"other": ["karma"]}})


def test_two_models_that_read_one_feature_with_two_types_conflict(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1", "b": "ranking_v1"}, conflict("Float32"))

    assert text.startswith(
        "models/b.yaml:6: features.service = ranking_v1: gives the feature karma as Float32, and "
    )
    assert "sentiment_v1, which a reads, as Int64. Fix: give it one type" in text


def test_the_same_feature_with_the_same_type_is_not_a_conflict(tmp_path: Path) -> None:
    write_features(tmp_path, conflict("Int64"))
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in "ab")
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:models:\n{entries}{STORE}"
    files = {"a": reads("sentiment_v1"), "b": reads("ranking_v1")}

    assert len(load_stack(Sources.of(project(tmp_path, text, **files)), "test").settings.feature_readers) == 2


def test_two_models_whose_keys_have_two_types_conflict(tmp_path: Path) -> None:
    defines = defined(
        entities={"fan": {"joinKey": "author_id", "valueType": "STRING"}},
        views={"other": view(entity="fan", fame="Float32")},
        services={"fame_v1": {"other": ["fame"]}},
    )
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1", "b": "fame_v1"}, defines)

    assert "gives the key author_id as STRING, and sentiment_v1, which a reads, as INT64" in text


def test_a_freshness_of_an_unknown_view_is_reported(tmp_path: Path) -> None:
    store = STORE + "    watch: {freshnessByView: {author_post: 2h}}\n"
    (text,) = stack_problems(tmp_path, {"a": "sentiment_v1"}, store=store)

    assert "config.ml-deployments:featureStore.watch.freshnessByView.author_post = 2h: is not a view" in text
    assert "name one of author_posts" in text


def test_a_model_named_like_a_part_of_the_store_is_reported(tmp_path: Path) -> None:
    (text,) = stack_problems(tmp_path, {"feature-store": "sentiment_v1"})

    assert "is the name of a part of the stage's feature store. Fix: rename the model" in text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("my-views.py", b"", "is not a name of a Python module"),
        ("feature_store.yaml", b"", "the program generates it"),
        ("big.py", b"#" * 1_000_001, "more than the 1000000 that one ConfigMap holds"),
        ("wide.py", ENTITIES.encode("utf-16"), "is not UTF-8"),
    ],
)
def test_files_that_cannot_be_deployed_are_reported_alone(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    write_features(tmp_path)
    (tmp_path / "features" / name).write_bytes(content)

    assert reason in problem(tmp_path).reason


def test_problems_of_definitions_the_stage_and_a_model_are_reported_together(tmp_path: Path) -> None:
    write_features(tmp_path)
    (tmp_path / "features" / "views.py").write_text(VIEWS + "\n")
    entries = "".join(f'    {name}: {{version: "v1", replicas: 1}}\n' for name in "ab")
    text = f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:requireDigest: true\n  {STORE.strip()}\n"
    text += f"  ml-deployments:models:\n{entries}"
    found = problems(project(tmp_path, text, a=MODEL, b=MODEL.replace("owner: team-a\n", "")))
    assert [(p.file, p.reason) for p in found] == [
        ("Pulumi.test.yaml", "is missing, and test requires one"),
        ("Pulumi.test.yaml", "is required and missing"),
        (FILE, "do not match the definitions: views.py was changed"),
    ]


def test_an_unquoted_version_is_reported_once(tmp_path: Path) -> None:
    texts = stack_problems(tmp_path, {"a": "sentiment_v1"}, store=STORE.replace('"0.67.0"', "0.67"))

    assert len(texts) == 1
    assert "featureStore.version = 0.67: must be a text" in texts[0]


def test_definitions_that_no_stage_uses_are_checked_too(tmp_path: Path) -> None:
    folder = project(tmp_path)
    write_features(folder)
    (folder / "features" / "views.py").write_text(VIEWS + "\n")
    (found,) = check(folder).problems

    assert (found.file, found.fix) == (FILE, RENEW)


@pytest.mark.parametrize(
    ("pinned", "noted"),
    [
        ("feast[redis]==0.67.0 \\\n    --hash=sha256:00\n", False),
        ("dask==1\nfeast==0.68.1\n", True),
        (None, False),
    ],
)
def test_another_feast_than_the_one_that_plans_is_a_note_and_not_a_problem(
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
    written = "test: features/definitions.yaml was written by Feast 0.67.0, and features/requirements.txt has 0.68.1"
    assert (f"{written}. Fix: `make features`" in result.output) == noted
    assert ("the plan of a review" in result.output) == noted
