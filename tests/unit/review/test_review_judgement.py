"""What is expected in a change, what no file explains, and what a reviewer should look at."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.review.look_at import Surroundings, look_at
from delivery.review.preview import Preview, Step
from delivery.review.stage_review import StageReview
from tests.support.reviews import NEW, changed, release, step

REMOVED = release(after=None)


def judged(found: Step, *releases: Any, gone: bool = True, of_model: bool = True) -> bool:
    change = changed(found.object.kind, found.object.name, after=None if gone else NEW, of_model=of_model)
    review = StageReview(
        stage="production", releases=releases, changes=(change,), preview=Preview(steps=(found,))
    )
    return review.expected(found)


def test_a_model_that_is_taken_out_takes_its_objects_along() -> None:
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy"):
        assert judged(step("delete", kind), REMOVED)
        assert not judged(step("delete", kind), release())


def test_another_models_objects_are_not_given_up_by_it() -> None:
    assert not judged(step("delete", "Service", "other"), REMOVED)


def test_what_no_manifest_removed_is_not_expected() -> None:
    # The state has an object that the base commit does not render: a newer commit is deployed.
    assert not judged(step("delete", "ConfigMap"), REMOVED, gone=False)


def test_a_budget_goes_with_the_second_replica() -> None:
    assert judged(step("delete", "PodDisruptionBudget"), release(after=("v1.2.0", 1)))


@pytest.mark.parametrize("kind", ["Namespace", "PersistentVolumeClaim"])
def test_data_is_never_expected_to_go(kind: str) -> None:
    assert not judged(step("delete", kind), REMOVED)
    assert not judged(step("delete", kind), REMOVED, of_model=False)
    assert judged(step("delete", kind, kept=True), REMOVED)


def test_an_ended_job_makes_room_for_the_next() -> None:
    assert judged(step("delete", "Job"), of_model=False)


@pytest.mark.parametrize("kind", ["Deployment", "ConfigMap", "PodDisruptionBudget"])
def test_a_replacement_is_never_expected(kind: str) -> None:
    assert not judged(step("replace", kind), REMOVED, gone=False)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_creates_and_updates_are_expected(operation: str) -> None:
    assert judged(step(operation, "Namespace"), gone=False)


def points(*releases: Any, **more: Any) -> str:
    around: dict[str, Any] = {"base": "main", "releases": releases, "files": (), "runs_in": {}, "newer": {}}
    around |= {name: more.pop(name) for name in [*around, "locked", "gone"] if name in more}
    review = StageReview(
        stage="production", releases=tuple(r for r in releases if r.stage == "production"), **more
    )
    return "\n".join(look_at(review, Surroundings(**around)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("v1.9.0", "v2.0.0", "jumps a major version"),
        ("1.9", "2.0", "jumps a major version"),
        ("v2.0.0", "v1.9.0", "goes back"),
        ("v1.10.0", "v1.9.0", "goes back"),
        ("v1.9.0", "v1.10.0", None),
        ("v1.3-rc1", "v1.3.0", None),
        ("v1.3.0", "v1.3-rc1", "goes back"),
        ("2024-12-31", "2025-01-01", None),
        ("build-10", "build-9", "goes back"),
        ("2024-01-01", "latest-good", None),
    ],
)
def test_versions(before: str, after: str, said: str | None) -> None:
    found = points(release(before=(before, 2), after=(after, 2)))
    assert (said in found) if said else found == ""


def test_version_and_replicas_at_once() -> None:
    assert "at once" in points(release(after=("v1.3.0", 3)))
    assert "at once" not in points(release(after=("v1.2.0", 3)))


def test_no_replica_is_left() -> None:
    assert "0 replicas" in points(release(after=("v1.2.0", 0)))
    assert "0 replicas" not in points(release(before=("v1.2.0", 0), after=("v1.3.0", 0)))


def test_another_digest_of_the_same_version() -> None:
    assert "another digest" in points(release(after=("v1.2.0", 2), digests=("sha256:1", "sha256:2")))


def test_models_that_come_and_go() -> None:
    gone = points(REMOVED, preview=Preview(steps=(step("delete", "Service"), step("delete", "Deployment"))))
    assert "is removed" in gone
    assert "2 objects" in gone
    assert "is new" in points(release(before=None))


def test_both_stages_in_one_merge() -> None:
    found = points(release(), release(stage="staging"))
    assert "<code>staging</code>: nothing runs in one first" in found
    assert points(release()) == ""


def test_a_model_file_that_other_stages_read() -> None:
    runs_in = {"m": ("production", "staging"), "n": ("staging",)}
    found = points(files=("models/m.yaml", "models/n.yaml"), runs_in=runs_in)
    assert "models/m.yaml" in found
    assert "<code>staging</code>" in found
    assert "models/n.yaml" not in found


@pytest.mark.parametrize(
    "file", ["components/serving/pod.py", "__main__.py", "Pulumi.yaml", "requirements.txt"]
)
def test_the_program_itself(file: str) -> None:
    assert "the program itself is changed" in points(files=(file, "README.md"))
    assert points(files=("README.md", "docs/pod.md")) == ""


def test_what_no_file_explains() -> None:
    steps = (step("update", "Deployment"), step("update", "Service"))
    found = points(preview=Preview(steps=steps), changes=(changed("Deployment"),))
    assert "1 step that no file" in found
    assert "Service ml-production/m" in found
    assert "Deployment" not in found


def test_a_base_that_moved_on_a_lock_and_a_stage_that_is_gone() -> None:
    found = points(newer={"production": 3}, locked=frozenset({"production"}), gone=("canary",))
    assert "3 newer commits" in found
    assert "pulumi cancel --stack production" in found
    assert "Pulumi.canary.yaml" in found


def pod(**container: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "model", **container}]}}}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("resources", "resources of model"),
        ("livenessProbe", "livenessProbe of model"),
    ],
)
def test_how_a_pod_runs(field: str, said: str) -> None:
    change = changed("Deployment", before=pod(**{field: {"a": 1}}), after=pod(**{field: {"a": 2}}))
    assert said in points(changes=(change,))
    assert points(changes=(changed("Deployment", before=pod(image="a"), after=pod(image="b")),)) == ""


def test_a_release_of_devices_says_what_it_needs() -> None:
    found = points(rollouts={"a": "needs 1 nvidia.com/gpu more during a release; without them it fails"})
    assert "needs 1 nvidia.com/gpu more during a release" in found


@pytest.mark.parametrize(
    ("before", "after", "rolls"),
    [("v1", "v2", True), ("v1", "v1", False), (None, "v1", False), ("v1", None, False)],
)
def test_only_another_pod_template_rolls(before: str | None, after: str | None, *, rolls: bool) -> None:
    old, new = (
        None if version is None else {"spec": {"replicas": 1, "template": {"version": version}}}
        for version in (before, after)
    )
    assert replace(changed("Deployment", "a"), before=old, after=new).rolls is rolls
