"""A copy of a commit contains the whole project, however the checkout has it, or says what is not supported."""

import os
import re
from pathlib import Path

import pytest

from components.errors import UserError
from components.files.sources import Sources
from components.stack import load_stack
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.history.model_history import history
from delivery.promotion.promote import write
from tests.support.features import STORE, write_features
from tests.support.projects import MODEL
from tests.support.repositories import Work, flow, git, init, stack

READER = f"{MODEL}features: {{service: sentiment_v1}}\n"
STAGING = "Pulumi.staging.yaml"


def reading(folder: Path) -> Work:
    """A repository whose staging has a feature store and a model that reads from it."""
    work = Work.new(folder)
    write_features(folder)
    work.commit("Features", {"models/a.yaml": READER, STAGING: stack({"a": flow("v1")}) + STORE})
    return work


def whole(folder: Path, revision: str = "HEAD") -> None:
    """A separate copy, and what is read in place where nothing differs, are both the whole stage."""
    repository = Repository(folder)
    with repository.at(revision) as tree:
        settings = load_stack(Sources.of(tree), "staging").settings
        assert [model.name for model in settings.feature_readers] == ["a"]
        assert "sentiment_v1" in settings.definitions.services
    with sources_at(repository, revision) as sources:
        assert load_stack(sources, "staging").settings == settings


def refused(folder: Path, match: str) -> None:
    """The copy says what is not supported and what to do, and leaves nothing; so does reading in place."""
    repository = Repository(folder)
    with pytest.raises(UserError, match=match) as caught, repository.at("HEAD"):
        pass
    assert "not supported" in str(caught.value)
    assert "Fix: " in str(caught.value)
    assert git(folder, "worktree", "list").count("\n") == 0
    with pytest.raises(UserError, match=match), sources_at(repository, "HEAD"):
        pass


def test_a_folder_of_a_repository(tmp_path: Path) -> None:
    init(tmp_path)
    inner = tmp_path / "teams" / "ml"
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.yaml").write_text(READER)
    reading_files(inner)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=all")
    whole(inner)


def reading_files(folder: Path) -> None:
    write_features_of(folder)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "a.yaml").write_text(READER)
    (folder / STAGING).write_text(stack({"a": flow("v1")}) + STORE)


def write_features_of(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_features(folder)


def test_a_linked_work_tree(tmp_path: Path) -> None:
    work = reading(tmp_path / "main")
    work.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    whole(tmp_path / "linked")


@pytest.mark.parametrize("options", [["--depth=1"], ["--filter=blob:none"]])
def test_a_clone_without_all_of_history(tmp_path: Path, options: list[str]) -> None:
    work = reading(tmp_path / "full")
    work.git("config", "uploadpack.allowFilter", "true")
    whole(work.clone(tmp_path / "clone", *options).folder)


@pytest.mark.parametrize("options", [["--shared"], ["--reference"]])
def test_a_clone_that_borrows_objects(tmp_path: Path, options: list[str]) -> None:
    work = reading(tmp_path / "full")
    arguments = [*options, str(work.folder)] if options == ["--reference"] else options
    git(tmp_path, "clone", "--quiet", *arguments, str(work.folder), "clone")
    assert (tmp_path / "clone" / ".git" / "objects" / "info" / "alternates").exists()
    whole(tmp_path / "clone")


@pytest.mark.parametrize("mode", ["--cone", "--no-cone"])
def test_a_sparse_checkout(tmp_path: Path, mode: str) -> None:
    work = reading(tmp_path)
    work.git("sparse-checkout", "set", mode, "models")
    assert not (tmp_path / "features").exists()
    whole(tmp_path)
    assert not (tmp_path / "features").exists()


def test_a_project_that_is_a_submodule(tmp_path: Path) -> None:
    reading(tmp_path / "project")
    outer = Work(tmp_path / "outer")
    outer.folder.mkdir()
    init(outer.folder)
    outer.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "project"), "ml"
    )
    whole(outer.folder / "ml")


@pytest.mark.parametrize("part", ["models", "features"])
def test_a_submodule_in_the_project(tmp_path: Path, part: str) -> None:
    work = reading(tmp_path / "project")
    other = Work(tmp_path / "other")
    other.folder.mkdir()
    init(other.folder)
    other.commit("Files", {path.name: path.read_text() for path in (work.folder / part).iterdir()})
    work.git("rm", "-r", "--quiet", part)
    work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), part)
    work.git("commit", "--quiet", "--message=Submodule")
    refused(work.folder, f"^{part} is a submodule, which is not supported")


@pytest.mark.parametrize("part", ["models", "features", "models/a.yaml", "features/views.py"])
def test_a_link_inside_the_repository(tmp_path: Path, part: str) -> None:
    work = reading(tmp_path)
    moved = tmp_path / "shared" / Path(part).name
    moved.parent.mkdir()
    (tmp_path / part).rename(moved)
    (tmp_path / part).symlink_to(os.path.relpath(moved, (tmp_path / part).parent))
    work.commit("Link", {})
    whole(tmp_path)


def test_links_that_are_checked_out_as_texts(tmp_path: Path) -> None:
    work = reading(tmp_path)
    (tmp_path / "models" / "a.yaml").rename(tmp_path / "shared.yaml")
    (tmp_path / "models" / "a.yaml").symlink_to("../shared.yaml")
    work.commit("Link", {})
    work.git("config", "core.symlinks", "false")
    (tmp_path / "models" / "a.yaml").unlink()
    work.git("checkout", "--quiet", "--", "models/a.yaml")
    assert not (tmp_path / "models" / "a.yaml").is_symlink()
    whole(tmp_path)


@pytest.mark.parametrize("part", ["models", "features", "models/a.yaml", "features/views.py"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_out_of_the_repository(tmp_path: Path, part: str, *, absolute: bool) -> None:
    work = reading(tmp_path / "project")
    moved = tmp_path / Path(part).name
    (work.folder / part).rename(moved)
    target = moved if absolute else Path(os.path.relpath(moved, (work.folder / part).parent))
    (work.folder / part).symlink_to(target)
    work.commit("Link", {})
    refused(
        work.folder,
        rf"^{part} is a symbolic link (out of the repository|to what the commit does not contain)",
    )


def test_a_link_by_an_absolute_path_leads_to_the_checkout_and_not_to_the_commit(tmp_path: Path) -> None:
    work = reading(tmp_path)
    (tmp_path / "models" / "a.yaml").rename(tmp_path / "shared.yaml")
    (tmp_path / "models" / "a.yaml").symlink_to(tmp_path / "shared.yaml")
    work.commit("Link", {})
    with (
        pytest.raises(UserError, match=r"^models/a\.yaml is a symbolic link out of the repository"),
        Repository(tmp_path).at("HEAD"),
    ):
        pass


def test_a_link_to_what_is_not_committed(tmp_path: Path) -> None:
    work = reading(tmp_path)
    work.commit("Ignore", {".gitignore": "/shared.yaml\n"})
    (tmp_path / "models" / "a.yaml").rename(tmp_path / "shared.yaml")
    (tmp_path / "models" / "a.yaml").symlink_to("../shared.yaml")
    work.commit("Link", {})
    with (
        pytest.raises(
            UserError, match=r"^models/a\.yaml is a symbolic link to what the commit does not contain"
        ),
        Repository(tmp_path).at("HEAD"),
    ):
        pass


def test_a_link_to_what_is_not_committed_is_refused_in_place_too(tmp_path: Path) -> None:
    work = reading(tmp_path)
    work.commit("Ignore", {".gitignore": "/shared/a.yaml\n", "shared/b.yaml": "1"})
    (tmp_path / "models").rename(tmp_path / "shared" / "models")
    (tmp_path / "shared" / "models" / "a.yaml").rename(tmp_path / "shared" / "a.yaml")
    (tmp_path / "shared" / "models" / "a.yaml").symlink_to("../a.yaml")
    (tmp_path / "models").symlink_to("shared/models")
    work.commit("Link", {})
    refused(tmp_path, r"^models/a\.yaml is a symbolic link to what the commit does not contain")


@pytest.mark.parametrize("part", ["models/a.yaml", "features/views.py", STAGING])
def test_a_link_to_what_belongs_to_git(tmp_path: Path, part: str) -> None:
    """It may contain the token with which a CI system fetched the commit."""
    work = reading(tmp_path)
    (tmp_path / part).unlink(missing_ok=True)
    (tmp_path / part).symlink_to(os.path.relpath(tmp_path / ".git" / "config", (tmp_path / part).parent))
    work.commit("Link", {})
    refused(
        tmp_path, f"^{re.escape(part)} is a symbolic link (out of the repository|to what the commit does not)"
    )


def test_a_stack_file_that_is_a_link_is_not_edited(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / STAGING).symlink_to("there")
    with pytest.raises(UserError, match=r"is a symbolic link, whose edit is not supported\. Fix: "):
        write(tmp_path / STAGING, "new")
    assert (tmp_path / STAGING).is_symlink()


def test_the_history_of_a_stack_file_that_is_a_link(tmp_path: Path) -> None:
    work = reading(tmp_path)
    (tmp_path / STAGING).rename(tmp_path / "shared.yaml")
    (tmp_path / STAGING).symlink_to("shared.yaml")
    work.commit("Link", {})
    with pytest.raises(UserError, match=f"^{STAGING} is a symbolic link, .* not supported.*Fix: "):
        history(Repository(tmp_path))


def test_a_filter_that_is_set_up(tmp_path: Path) -> None:
    work = filtered(tmp_path)
    whole(tmp_path)
    assert "OWNER" in work.git("show", "HEAD:models/a.yaml")


def test_a_filter_that_is_not_set_up(tmp_path: Path) -> None:
    work = filtered(tmp_path)
    work.git("config", "--remove-section", "filter.team")
    refused(tmp_path, r"^models/a\.yaml goes through the git filter team, which is not set up here")


def test_the_history_of_a_stack_file_behind_a_filter(tmp_path: Path) -> None:
    work = filtered(tmp_path, "Pulumi.*.yaml")
    with pytest.raises(
        UserError, match=r"^Pulumi\.production\.yaml goes through the git filter team, .*Fix: "
    ):
        history(Repository(work.folder))


def filtered(folder: Path, pattern: str = "models/*.yaml") -> Work:
    """A repository in which `owner` is written `OWNER` in git."""
    work = reading(folder)
    work.git("config", "filter.team.clean", "sed s/^owner/OWNER/")
    work.git("config", "filter.team.smudge", "sed s/^OWNER/owner/")
    (folder / "models" / "a.yaml").unlink()
    work.commit("Filter", {".gitattributes": f"{pattern} filter=team\n", "models/a.yaml": f"{READER}\n"})
    return work


def test_what_git_archive_would_leave_out(tmp_path: Path) -> None:
    work = reading(tmp_path)
    work.commit("Attributes", {".gitattributes": "features export-ignore\nmodels export-ignore\n"})
    whole(tmp_path)


@pytest.mark.parametrize("setting", ["core.autocrlf", "eol"])
def test_other_line_endings(tmp_path: Path, setting: str) -> None:
    work = reading(tmp_path)
    if setting == "eol":
        work.commit("Attributes", {".gitattributes": "* text eol=crlf\n"})
    else:
        work.git("config", setting, "true")
    work.git("rm", "-r", "--quiet", "--cached", ".")
    work.git("reset", "--hard", "--quiet")
    assert b"\r\n" in (tmp_path / "features" / "views.py").read_bytes()
    whole(tmp_path)


@pytest.mark.parametrize("ignored", [True, False])
def test_what_is_not_committed_is_not_read_as_committed(tmp_path: Path, *, ignored: bool) -> None:
    work = reading(tmp_path)
    if ignored:
        work.commit("Ignore", {".gitignore": "/features/more.py\n/notes\n"})
    (tmp_path / "features" / "more.py").write_text("from entities import author\n")
    (tmp_path / "notes").write_text("") if ignored else None
    repository = Repository(tmp_path)
    assert repository.changed() == ["features/more.py"]
    with sources_at(repository, "HEAD") as sources:
        assert "features/more.py" not in sources.feature_files
        assert sources.feature_files


def test_new_files_count_whatever_git_status_shows(tmp_path: Path) -> None:
    work = reading(tmp_path)
    work.git("config", "status.showUntrackedFiles", "no")
    (tmp_path / "models" / "b.yaml").write_text(MODEL)
    assert Repository(tmp_path).changed() == ["models/b.yaml"]


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_edits_that_git_is_configured_to_overlook(tmp_path: Path, mark: str) -> None:
    work = reading(tmp_path)
    work.git("update-index", mark, "models/a.yaml")
    assert Repository(tmp_path).changed() == []
    (tmp_path / "models" / "a.yaml").write_text(f"{READER}replicaz: 1\n")
    assert Repository(tmp_path).changed() == ["models/a.yaml"]
    whole(tmp_path)


def test_names_that_differ_only_in_case(tmp_path: Path) -> None:
    work = reading(tmp_path)
    work.commit("Case", {"components/Own.py": "", "components/own.py": ""})
    whole(tmp_path)
    work.git("config", "core.ignoreCase", "true")
    refused(tmp_path, r"^components/Own\.py and components/own\.py differ only in case")
