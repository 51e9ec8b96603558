"""A promotion of a model whose registries have something to say."""

from decimal import Decimal
from pathlib import Path

import pytest

from components.errors import SettingsError, UserError
from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from delivery.git.repository import Repository
from delivery.promotion.promote import prepare
from delivery.promotion.promotion import Promotion, Request
from delivery.registries.facts import ReleaseFacts, VersionProblem
from delivery.registries.gates import Verdict
from delivery.registries.mlflow_registry import ModelVersion
from tests.support.projects import MODEL
from tests.support.repositories import Work, flow, stack
from tests.unit.promotion.test_promote import DIGESTS, PRODUCTION, ahead, refused

REGISTERED = "registeredModel: {name: a}\ngate: {metrics: {f1: {min: '0.85'}}}\n"
REGISTRY = "  ml-deployments:modelRegistry: {mlflow: 'http://127.0.0.1:9'}\n"
GOOD = Verdict(metric="f1", before=Decimal("0.90"), after=Decimal("0.91"), rule="at least 0.85", passed=True)


def registered(tmp_path: Path, **options: bool) -> Work:
    """As `ahead`, with a model that is registered and has a gate, and a production that requires digests or not."""
    work = ahead(tmp_path)
    files = {f"Pulumi.{s}.yaml": work.text(f"Pulumi.{s}.yaml") + REGISTRY for s in ("staging", "production")}
    if options.get("pinned"):
        pinned = stack({"a": flow("v1", digest=DIGESTS[0])}, "production")
        files[PRODUCTION] = f"{pinned}{REGISTRY}  ml-deployments:requireDigest: true\n"
    work.commit("Register", {**files, "models/a.yaml": MODEL + REGISTERED})
    return work


def promoted(work: Work, facts: ReleaseFacts, asked: list[object] | None = None) -> Promotion:
    """The promotion of `a` to production when the registries say this; the registries' tests ask real ones."""

    def ask(staged: StagedModel, running_version: str | None, *, image: bool) -> ReleaseFacts:
        if asked is not None:
            asked.extend([staged.stage, staged.model.version, staged.model.digest, running_version, image])
        return facts

    request = Request(model="a", source="staging", target="production")
    return prepare(Repository(work.folder), Sources.of(work.folder), request, ask)


def test_what_the_registries_say_goes_into_the_commit(tmp_path: Path) -> None:
    asked: list[object] = []
    version = ModelVersion(
        name="a", number="7", version="v2", aliases=(), metrics={}, run="4711", dataset=None, owner=None
    )
    promotion = promoted(registered(tmp_path), ReleaseFacts(registered=version, verdicts=(GOOD,)), asked)
    assert asked == ["production", "v2", None, "v1", False]
    assert promotion.message() == (
        "Promote a v2 to production\n\nModel: a\nVersion: v2\nFrom: staging\nTo: production\n"
        "Run: 4711\nGate: f1 0.91 (was 0.90, at least 0.85)\n"
    )
    assert promotion.notes == ("The image was not checked: production pins no digest.",)


def test_a_stage_that_requires_digests_gets_the_registrys(tmp_path: Path) -> None:
    work = registered(tmp_path, pinned=True)
    asked: list[object] = []
    promotion = promoted(work, ReleaseFacts(digest=DIGESTS[1]), asked)
    assert asked == ["production", "v2", None, "v1", True]
    assert promotion.text == work.text(PRODUCTION).replace(
        flow("v1", digest=DIGESTS[0]), flow("v2", digest=DIGESTS[1])
    )
    assert f"Digest: {DIGESTS[1]}\n" in promotion.message()


def test_a_required_digest_that_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="digest: is missing, and production requires one"):
        promoted(registered(tmp_path, pinned=True), ReleaseFacts())


def test_every_reason_against_it_is_reported(tmp_path: Path) -> None:
    problems = tuple(
        VersionProblem(field="version", reason=reason, fix="do it")
        for reason in ("no such run", "fails the gate")
    )
    with pytest.raises(UserError) as caught:
        promoted(registered(tmp_path), ReleaseFacts(problems=problems))
    assert str(caught.value).splitlines() == [
        "a v2 is not promoted to production; nothing was changed.",
        "  no such run. Fix: do it",
        "  fails the gate. Fix: do it",
    ]


def test_a_registry_that_is_down_stops_it(tmp_path: Path) -> None:
    err = refused(registered(tmp_path))
    assert err.startswith("a v2 is not promoted to production; nothing was changed.")
    assert "127.0.0.1:9" in err
