"""What a review says about a feature store and about what models read from it."""

from pathlib import Path
from typing import Any

import pytest

from components.feature_store import names as feature_store_names
from components.files.sources import Sources
from components.kubernetes import naming
from components.settings.stack import StackSettings
from components.stack import load_stack
from delivery.features.plan import FeatureChange, FeaturePlan
from delivery.releases.changes import Deployed
from delivery.review.feature_changes import applied, store_release
from delivery.review.feature_reads import FeatureReads, feature_reads
from delivery.review.look_at import Surroundings, look_at
from delivery.review.manifest_changes import ManifestChange
from delivery.review.page import Change, page
from delivery.review.preview import Preview
from delivery.review.secrets import new_secrets
from delivery.review.stage_review import StageReview
from tests.support.features import DEFINED, STORE, defined, view, write_features
from tests.support.projects import MODEL, entry, project
from tests.support.reviews import NEW, changed, manifest, step

SERVER, REDIS = feature_store_names.SERVER, feature_store_names.REDIS
READS = "features: {service: sentiment_v1}\n"
SECOND = defined(views={"votes": view(ups="Int64")}, services={"sentiment_v2": {"votes": ["ups"]}})
FIRST_GONE = {**SECOND, "services": {"sentiment_v2": SECOND["services"]["sentiment_v2"]}}


def of_store(
    kind: str, part: str, *, gone: bool = True, before: Any = NEW, after: Any = NEW, kept: bool = False
) -> ManifestChange:
    """A change of an object of a part; by default it is removed."""
    change = changed(kind, part, before=before, after=None if gone else after)
    for made in (change.before, change.after):
        if made is not None:
            made["metadata"]["labels"] = feature_store_names.selector(part)
    if kept and change.before is not None:
        change.before["metadata"]["annotations"] = naming.kept()
    return change


def expected(kind: str, part: str, *others: ManifestChange, kept: bool = False) -> bool:
    """Whether a deletion of a part's object is expected, where others change, too."""
    review = StageReview(stage="production", changes=(of_store(kind, part, kept=kept), *others))
    return review.expected(step("delete", kind, part))


def points(*changes: ManifestChange, **more: Any) -> str:
    around = Surroundings(base="main", releases=(), files=(), runs_in={}, newer={})
    return "\n".join(look_at(StageReview(stage="production", changes=changes, **more), around))


def test_a_store_that_is_taken_out_takes_its_objects_along() -> None:
    gone = of_store("Deployment", SERVER)
    assert expected("StatefulSet", REDIS, gone)
    assert expected("CronJob", feature_store_names.MATERIALIZATION, gone)
    assert not expected(
        "CronJob", feature_store_names.MATERIALIZATION, of_store("Deployment", SERVER, gone=False)
    )
    assert "the feature store is removed" in points(gone)


def test_another_redis_takes_the_own_one_along_and_nothing_else() -> None:
    gone = of_store("StatefulSet", REDIS)
    for kind in ("Service", "ServiceAccount", "NetworkPolicy"):
        assert expected(kind, REDIS, gone)
        assert not expected(kind, SERVER, gone)
    assert "own Redis is removed" in points(gone)


def test_data_goes_only_after_its_protection() -> None:
    gone = of_store("Deployment", SERVER)
    claim = "PersistentVolumeClaim"
    assert expected(claim, REDIS, gone)
    assert not expected(claim, REDIS, gone, kept=True)
    assert not expected(claim, REDIS)
    assert not expected("Namespace", REDIS, gone)
    unprotected = of_store(claim, REDIS, gone=False, kept=True)
    assert "is no longer kept" in points(unprotected)
    assert points(of_store(claim, REDIS, gone=False)) == ""


def test_a_redis_that_restarts() -> None:
    old, new = ({"template": {"metadata": {"size": size}}} for size in (1, 2))
    assert "Redis restarts" in points(of_store("StatefulSet", REDIS, gone=False, before=old, after=new))
    assert points(of_store("StatefulSet", REDIS, gone=False, before=old, after=old)) == ""


def test_what_is_removed_from_the_registry() -> None:
    changes = tuple(
        FeatureChange(change=change, kind=kind, name=f"{change}-{kind}", diff="")
        for change in ("removed", "new")
        for kind in ("feature view", "data source")
    )
    view, source = points(features=FeaturePlan(changes=changes)).splitlines()
    assert view.endswith("is removed from the registry**, with the values it has")
    assert "removed-data source" in source
    assert source.endswith("is removed from the registry**")


@pytest.mark.parametrize(
    ("part", "gone", "runs"),
    [
        (feature_store_names.APPLY, False, True),
        (feature_store_names.APPLY, True, False),
        (feature_store_names.MATERIALIZATION, False, False),
    ],
)
def test_a_plan_is_made_when_a_job_applies(part: str, gone: bool, runs: bool) -> None:
    assert applied((of_store("Job", part, gone=gone), changed("Deployment"))) == runs


def stage(folder: Path, model: str = READS, defines: dict[str, Any] = DEFINED) -> StackSettings:
    """A stage whose model `a` is as given, with definitions."""
    folder.mkdir(parents=True)
    write_features(folder, defines)
    stack = entry('version: "v1"\nreplicas: 1') + STORE
    return load_stack(Sources.of(project(folder, stack, a=MODEL + model)), "test").settings


def reads(folder: Path, before: dict[str, Any], after: dict[str, Any]) -> FeatureReads:
    return feature_reads(stage(folder / "before", **before), stage(folder / "after", **after))


def posts(**features: str) -> dict[str, Any]:
    """The usual view with other features, and a service of all of them."""
    return defined(
        views={"author_posts": view(**features)},
        services={"sentiment_v1": {"author_posts": sorted(features)}},
    )


def author(key: str, kind: str) -> dict[str, Any]:
    """The usual definitions with another entity."""
    return defined(entities={"author": {"joinKey": key, "valueType": kind}})


@pytest.mark.parametrize(
    ("defines", "said"),
    [
        (posts(posts_per_day="Float32"), "loses the feature karma"),
        (posts(posts_per_day="Float32", karma="Float32"), "changes the feature karma from Int64 to Float32"),
        (defined(services={"sentiment_v1": {"author_posts": ["karma"]}}), "loses the feature posts_per_day"),
        (author("writer_id", "INT64"), "loses the column of entities author_id"),
        (author("author_id", "STRING"), "changes the column of entities author_id from INT64 to STRING"),
    ],
)
def test_a_service_that_a_model_reads_keeps_what_it_has(
    tmp_path: Path, defines: dict[str, Any], said: str
) -> None:
    found = reads(tmp_path, {}, {"defines": defines}).broken
    assert f"sentiment_v1, read by a, {said}" in found
    # The same of a service that no model reads stops nothing.
    unread = reads(tmp_path / "unread", {"model": ""}, {"model": "", "defines": defines})
    assert unread == FeatureReads()


def test_what_a_service_loses_stops_the_merge() -> None:
    review = StageReview(stage="production", reads=FeatureReads(broken=("sentiment_v1, read by a, loses b",)))
    assert [str(what) for _, what in review.stops()] == ["sentiment_v1, read by a, loses b"]


def test_what_a_service_gains_is_null_at_first(tmp_path: Path) -> None:
    added = posts(posts_per_day="Float32", karma="Int64", age="Int64")
    found = reads(tmp_path, {}, {"defines": added})
    assert found.broken == ()
    assert found.points[0].startswith("sentiment_v1, read by a, gains the feature age: null for every entity")


def test_a_model_that_moves_to_another_service(tmp_path: Path) -> None:
    moved = {"model": READS.replace("v1", "v2"), "defines": FIRST_GONE}
    found = reads(tmp_path, {}, moved)
    assert found.broken == ()
    assert found.points[0] == "a reads sentiment_v2 instead of sentiment_v1"
    assert "sentiment_v1 is removed before the replicas of a that read it" in found.points[1]
    assert found.points[2].startswith("a reads null from votes, which is new")
    kept = {**moved, "defines": SECOND}
    assert "is removed" not in "".join(reads(tmp_path / "kept", {}, kept).points)


def test_a_model_that_begins_to_read_and_a_base_that_is_not_valid(tmp_path: Path) -> None:
    begun = reads(tmp_path, {"model": ""}, {})
    assert begun.points == ("a reads sentiment_v1",)
    assert feature_reads(None, stage(tmp_path / "new")).points[0] == "a reads sentiment_v1"


def test_the_stores_version_has_a_row(tmp_path: Path) -> None:
    settings = stage(tmp_path / "stage")
    store = store_release("production", None, settings)
    assert store is not None
    assert store.after == Deployed(version="0.67.0", digest=None, replicas=2)
    assert store_release("production", settings, settings) is None
    change = Change(base="b" * 40, head="a" * 40, span="main..HEAD")
    found = page([StageReview(stage="production", store=store, preview=Preview())], change)
    assert "| <code>the feature store</code> | <code>production</code> | - → <code>0.67.0</code> |" in found


def workload(name: str, **container: Any) -> dict[str, Any]:
    return manifest("Deployment", name, spec={"template": {"spec": {"containers": [container]}}})


def test_the_secrets_that_are_newly_required() -> None:
    def key(secret: str, key: str) -> dict[str, Any]:
        return {"name": "X", "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}

    before = [workload("a", env=[key("old", "token")])]
    after = [
        workload("a", env=[key("old", "token"), key("old", "other"), key("new", "b"), key("new", "a")]),
        workload("b", envFrom=[{"secretRef": {"name": "all"}}]),
        manifest("Deployment", "c", spec={"volumes": [{"secret": {"secretName": "files"}}]}),
        manifest(
            "Deployment",
            "d",
            spec={"imagePullSecrets": [{"name": "pull"}], "volumes": [{"secret": {"secretName": "made"}}]},
        ),
        manifest("Secret", "made"),
    ]
    assert new_secrets(before, after) == (
        "ml-production/all",
        "ml-production/files",
        "ml-production/new (a, b)",
        "ml-production/old (other)",
        "ml-production/pull",
    )
    assert new_secrets(after, after) == ()
    assert "Secret <code>ml-production/new</code> is newly required" in points(secrets=("ml-production/new",))
