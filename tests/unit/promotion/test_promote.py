"""A version goes from one stage to another."""

from pathlib import Path

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from delivery.git.repository import Repository
from delivery.policies.findings import version_violations
from delivery.promotion.promote import write
from tests.support.features import STORE, write_features
from tests.support.projects import MODEL
from tests.support.repositories import MAIN, Work, flow, stack
from tests.unit.commands.test_delivery import run

PRODUCTION = "Pulumi.production.yaml"
DIGESTS = [f"sha256:{digit * 64}" for digit in "12"]


def promote(work: Work, *options: str, model: str = "a", code: int = 0) -> str:
    """Options may name other stages than staging and production."""
    found, out, err = run(
        "promote", model, "--from", "staging", "--to", "production", *options, "--project", work.folder
    )
    assert found == code, out + err
    assert "Traceback" not in err
    return out if code == 0 else " ".join(err.replace("│", " ").split())


def refused(work: Work, *options: str, model: str = "a", code: int = 1) -> str:
    """Its message; it must change nothing."""
    before = work.state(), work.branches
    err = promote(work, *options, model=model, code=code)
    assert (work.state(), work.branches) == before
    return err


def ahead(tmp_path: Path, **models: str) -> Work:
    """A repository whose staging runs `v2` of `a`, and production `v1`."""
    work = Work.new(tmp_path)
    work.release("staging", **{"a": flow("v2"), **models})
    return work


def test_the_version_of_staging_goes_into_one_line(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    out = promote(work)
    assert work.text(PRODUCTION) == stack({"a": flow("v2")}, "production")
    assert '-    a: {version: "v1", replicas: 2}\n+    a: {version: "v2", replicas: 2}\n' in out
    assert "No registry was asked: a names no registered model" in out
    assert work.git("status", "--porcelain") == f"M {PRODUCTION}"
    assert work.branches == {MAIN}


def test_commit_makes_a_branch_and_leaves_the_checkout(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    (tmp_path / "notes").write_text("mine")
    before = work.state()
    out = promote(work, "--commit")
    assert work.state() == before
    branch = "promote/production/a/v2"
    assert f"git push --set-upstream origin {branch}" in out
    (commit,) = Repository(tmp_path).log("-1", branch)
    assert commit.subject == "Promote a v2 to production"
    assert commit.trailers == {"Model": "a", "Version": "v2", "From": "staging", "To": "production"}
    assert commit.parents == (work.head,)
    assert work.git("diff", "--name-only", "HEAD", branch) == PRODUCTION


def test_a_new_version_comes_from_no_stage(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    names = ("promote", "a", "--to", "staging", "--project", tmp_path)
    code, _, err = run(*names)
    assert code == 2
    assert "give --version, or --from" in " ".join(err.replace("│", " ").split())
    code, _, err = run(*names, "--version", "v3", "--commit")
    assert code == 0, err
    (commit,) = Repository(work.folder).log("-1", "promote/staging/a/v3")
    assert commit.trailers == {"Model": "a", "Version": "v3", "To": "staging"}


def test_the_file_keeps_its_mode_and_no_other_file_appears(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    (tmp_path / PRODUCTION).chmod(0o640)
    names = {path.name for path in tmp_path.iterdir()}
    promote(work)
    assert (tmp_path / PRODUCTION).stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_write_that_fails_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        write(path, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_an_older_version_that_ran_in_staging(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.release("staging", a=flow("v3"))
    promote(work, "--version", "v2")
    assert work.text(PRODUCTION) == stack({"a": flow("v2")}, "production")


def test_a_way_back_needs_a_reason_and_passes_the_policy(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    released = work.release("production", a=flow("v2"))
    said = refused(work, "--commit")
    assert "a v1 is older than v2, which production runs" in said
    assert "delivery rollback a --stage production" in said
    promote(work, "--reason", "v2 is slow", "--commit")
    work.merge("promote/production/a/v1")
    (commit,) = Repository(tmp_path).log("-1", "--no-merges")
    assert (commit.trailers["Reason"], commit.trailers["Reverts"]) == ("v2 is slow", released)
    assert version_violations(tmp_path, load_stack(Sources.of(tmp_path), "production").settings) == []


def test_what_counts_is_what_is_committed(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    (tmp_path / "Pulumi.staging.yaml").write_text(stack({"a": flow("v9")}))
    promote(work)
    assert work.text(PRODUCTION) == stack({"a": flow("v2")}, "production")
    assert "no commit of this branch names it" in refused(work, "--version", "v9")


def test_a_version_that_never_ran_needs_a_reason_that_is_kept(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    err = refused(work, "--version", "v7")
    assert "a v7 never ran in staging: no commit of this branch names it in Pulumi.staging.yaml. Fix:" in err
    promote(work, "--version", "v7", "--commit", "--reason", "a fix for\nissue 12")
    (commit,) = Repository(tmp_path).log("-1", "promote/production/a/v7")
    assert commit.trailers["Reason"] == "a fix for issue 12"


def test_a_version_of_another_branch_never_ran(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", a=flow("v8"))
    work.git("checkout", "--quiet", MAIN)
    refused(work, "--version", "v8")


def test_where_deployments_are_tagged_only_a_tag_counts(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    run("tag", "staging", "--project", tmp_path)
    work.release("staging", a=flow("v2"))
    assert "no tag staging/a/v2 records a deployment (`git fetch --tags`" in refused(work)
    run("tag", "staging", "--project", tmp_path)
    promote(work)


def test_another_image_than_the_one_that_ran(tmp_path: Path) -> None:
    work = ahead(tmp_path, a=flow("v2", digest=DIGESTS[0]))
    run("tag", "staging", "--project", tmp_path)
    work.release("staging", a=flow("v2", digest=DIGESTS[1]))
    assert f"it ran there with another image, {DIGESTS[0]}" in refused(work)


def test_the_digest_goes_along(tmp_path: Path) -> None:
    work = ahead(tmp_path, a=flow("v2", digest=DIGESTS[0]))
    promote(work, "--commit")
    branch = "promote/production/a/v2"
    assert work.git("show", f"{branch}:{PRODUCTION}") + "\n" == stack(
        {"a": flow("v2", 2, DIGESTS[0])}, "production"
    )
    assert Repository(tmp_path).log("-1", branch)[0].trailers["Digest"] == DIGESTS[0]


def test_a_digest_of_the_old_version_never_stays(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.commit("Pin", {PRODUCTION: stack({"a": flow("v1", digest=DIGESTS[0])}, "production")})
    assert "The digest of v1 was removed, and that of v2 is not known." in promote(work)
    assert work.text(PRODUCTION) == stack({"a": flow("v2")}, "production")


def test_a_model_that_is_new_in_the_stage(tmp_path: Path) -> None:
    work = ahead(tmp_path, b=flow("v1"))
    work.commit("Model", {"models/b.yaml": MODEL})
    assert "production does not run b yet" in refused(work, model="b")
    promote(work, "--replicas", "3", model="b")
    assert work.text(PRODUCTION) == stack({"a": flow("v1"), "b": flow("v1", 3)}, "production")


def test_a_sparse_checkout_has_a_partial_project(tmp_path: Path) -> None:
    work = reading_features(tmp_path)
    work.git("sparse-checkout", "set", "models")
    assert "features/definitions.yaml is left out of this sparse checkout" in refused(work)
    promote(work, "--commit")


@pytest.mark.parametrize("options", [[], ["--commit"]])
def test_a_model_that_reads_features(tmp_path: Path, options: list[str]) -> None:
    work = reading_features(tmp_path)
    assert f"-    a: {flow('v1')}\n+    a: {flow('v2')}\n" in promote(work, *options)


def reading_features(tmp_path: Path) -> Work:
    """As `ahead`, with a feature store in both stages, from which `a` reads."""
    work = ahead(tmp_path)
    write_features(tmp_path)
    work.commit(
        "Features",
        {
            "models/a.yaml": f"{MODEL}features: {{service: sentiment_v1}}\n",
            "Pulumi.staging.yaml": stack({"a": flow("v2")}) + STORE,
            PRODUCTION: stack({"a": flow("v1")}, "production") + STORE,
        },
    )
    return work


@pytest.mark.parametrize("replicas", ["2", "3"])
def test_the_replicas_of_a_model_that_runs_are_not_changed_along(tmp_path: Path, replicas: str) -> None:
    work = ahead(tmp_path)
    said = refused(work, "--replicas", replicas)
    assert (
        "production runs a already, with 2 replicas, and --replicas is for a model that is new there" in said
    )
    assert "change Pulumi.production.yaml in a separate commit" in said


def test_nothing_to_promote(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    assert "production runs a v1 already; there is nothing to promote" in refused(work)


def test_a_model_that_the_source_does_not_run(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.commit("Model", {"models/b.yaml": MODEL})
    assert "Pulumi.staging.yaml at HEAD gives b no version. Fix:" in refused(
        work, "--replicas", "1", model="b"
    )


def test_a_broken_stage_is_reported_before_anything_else(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.commit("Break", {PRODUCTION: stack({"a": '{version: "v1", replica: 2}'}, "production")})
    assert "replica = 2: unknown key" in refused(work)


def test_an_invalid_version_is_refused_by_the_checks_of_the_files(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    assert 'must name one version; "latest"' in refused(work, "--version", "latest", "--reason", "because")
    assert "must be a version tag" in refused(work, "--version", "v/1", "--reason", "because")


def test_a_detached_head_is_enough(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    work.git("checkout", "--quiet", "--detach")
    promote(work, "--commit")
    assert work.branches == {MAIN, "promote/production/a/v2"}


def test_uncommitted_edits_and_a_branch_that_exists(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    promote(work, "--commit")
    assert "the branch promote/production/a/v2 exists already. Fix:" in refused(work, "--commit")
    (tmp_path / PRODUCTION).write_text(stack({"a": flow("v1", 7)}, "production"))
    assert "has edits that are not committed" in refused(work, "--commit")
    promote(work)
    assert work.text(PRODUCTION) == stack({"a": flow("v2", 7)}, "production")


def test_a_shallow_clone_says_so(tmp_path: Path) -> None:
    work = ahead(tmp_path / "full")
    work.release("staging", a=flow("v3"))
    shallow = work.clone(tmp_path / "shallow", "--depth=1")
    assert "this clone is shallow, and `git fetch --unshallow` fetches older commits" in refused(
        shallow, "--version", "v2"
    )


def test_an_edit_by_hand_between_promotion_and_merge(tmp_path: Path) -> None:
    work = ahead(tmp_path)
    promote(work, "--commit")
    work.commit("By hand", {PRODUCTION: stack({"a": flow("v1", 9)}, "production")})
    with pytest.raises(AssertionError):
        work.merge("promote/production/a/v2")
    work.git("merge", "--abort")
    work.git("branch", "-D", "promote/production/a/v2")
    promote(work, "--commit")
    work.merge("promote/production/a/v2")
    assert work.text(PRODUCTION) == stack({"a": flow("v2", 9)}, "production")


@pytest.mark.parametrize(
    "options",
    [
        ["--to", "nowhere"],
        ["--from", "nowhere"],
        ["--to", "staging"],
        ["--reason", " "],
        ["--replicas", "-1"],
    ],
)
def test_wrong_usage(tmp_path: Path, options: list[str]) -> None:
    refused(ahead(tmp_path), *options, code=2)


def test_no_repository(tmp_path: Path) -> None:
    work = ahead(tmp_path / "work")
    (tmp_path / "plain" / "models").mkdir(parents=True)
    for name in (PRODUCTION, "Pulumi.staging.yaml", "models/a.yaml"):
        (tmp_path / "plain" / name).write_text(work.text(name))
    code, _, err = run(
        "promote", "a", "--from", "staging", "--to", "production", "--project", tmp_path / "plain"
    )
    assert code == 1
    assert "is in no git repository" in err
