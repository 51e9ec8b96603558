"""Every form of a repository's address that git allows is one that all controllers read, or is refused with theirs."""

from pathlib import Path

import pytest

from components.errors import SettingsError
from delivery.gitops.settings import read_settings
from tests.support.gitops import use_gitops
from tests.support.projects import project

HOST = "git.example.com"
ACCEPTED = [
    f"https://{HOST}/team/x.git",
    f"https://{HOST}:8443/team/x",
    f"ssh://git@{HOST}/team/x.git",
    f"ssh://git@{HOST}:2222/team/x.git",
    f"ssh://git@{HOST}/~ada/x.git",
    f"ssh://git@{HOST}/v3/team/a%20project/x",
    "ssh://git@[2001:db8::1]:22/team/x.git",
    f"https://{HOST}/scm/@team/x.git",
]
REFUSED = [
    (f"git@{HOST}:team/x.git", "the short form of ssh", f"write ssh://git@{HOST}/team/x.git"),
    (f"{HOST}:team/x.git", "the short form of ssh", f"write ssh://git@{HOST}/team/x.git"),
    (f"ada@{HOST}:/srv/x.git", "the short form of ssh", f"write ssh://ada@{HOST}/srv/x.git"),
    (f"ssh://git@{HOST}:team/x.git", "has team where a port would be", f"write ssh://git@{HOST}/team/x.git"),
    (f"ssh://git@{HOST}:1team/x.git", "where a port would be", f"write ssh://git@{HOST}/1team/x.git"),
    (f"ssh://git@{HOST}:/team/x.git", "no port after its colon", "remove the colon"),
    (f"https://{HOST}:99999/x.git", "is not an address: Port out of range", "https://git.example.com/"),
    (f"https://{HOST}:port/x.git", "is not an address", "https://git.example.com/"),
    (f"ssh://{HOST}/team/x.git", "has no user", f"write ssh://git@{HOST}/team/x.git"),
    (f"ssh://git@{HOST}/team/@x.git", "a second @", "%40"),
    ("file:///srv/x.git", "a path on one machine", "ssh://git@git.example.com/"),
    ("/srv/x.git", "a path on one machine", "ssh://git@git.example.com/"),
    ("../x.git", "a path on one machine", "ssh://git@git.example.com/"),
    ("./a:b/x.git", "a path on one machine", "ssh://git@git.example.com/"),
    ("~/x.git", "a path on one machine", "ssh://git@git.example.com/"),
    ("C:/x.git", "a path on one machine", "ssh://git@git.example.com/"),
    (f"http://{HOST}/x.git", "without encryption", f"write https://{HOST}/x.git"),
    (f"git://{HOST}/x.git", "without encryption", "https://git.example.com/"),
    (f"ftp://{HOST}/x.git", "without encryption", "https://git.example.com/"),
    (f"ftps://{HOST}/x.git", "must be a git URL", "https://git.example.com/"),
    (f"git+ssh://git@{HOST}/x.git", "an old name of ssh", f"write ssh://git@{HOST}/x.git"),
    (f"HTTPS://{HOST}/x.git", "in capitals", f"write https://{HOST}/x.git"),
    ("ext::sh -c date", "a space", "https://git.example.com/"),
    ("ext::date", "runs a helper of git", "https://git.example.com/"),
    (f"https://{HOST}/x.git?ref=main", "has a ? or #", "settings of their own"),
    (f"https://{HOST}/x.git#main", "has a ? or #", "settings of their own"),
    (f"https://{HOST}/a b.git", "a space", "https://git.example.com/"),
    (f"https://{HOST}/a%2.git", "a % without two digits", "%25"),
    (f"https://{HOST}", "names no repository", "https://git.example.com/"),
    ("https:///x.git", "names no host", "https://git.example.com/"),
    ("ssh://git@-oProxyCommand=x/y.git", "names no host", "https://git.example.com/"),
    (f"https://ada:word@{HOST}/x.git", "contains a password", "a Secret"),
    (f"https://word@{HOST}/x.git", "contains a password", "a Secret"),
    (f"ssh://git:word@{HOST}/x.git", "contains a password", "a Secret"),
    ("team/x", "must be a git URL", "https://git.example.com/"),
]


def with_url(folder: Path, url: str) -> Path:
    use_gitops(project(folder))
    file = folder / "gitops" / "settings.yaml"
    lines = file.read_text().splitlines()
    changed = [f"repository: '{url}'" if line.startswith("repository:") else line for line in lines]
    assert changed != lines
    file.write_text("\n".join(changed))
    return folder


@pytest.mark.parametrize("url", ACCEPTED)
def test_what_all_controllers_read(tmp_path: Path, url: str) -> None:
    assert read_settings(with_url(tmp_path, url)).repository == url


@pytest.mark.parametrize(("url", "reason", "fix"), REFUSED, ids=[url for url, *_ in REFUSED])
def test_another_form_is_refused_with_the_right_one(tmp_path: Path, url: str, reason: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(with_url(tmp_path, url))
    (problem,) = caught.value.problems
    assert (problem.file, problem.field) == ("gitops/settings.yaml", "repository")
    assert problem.line is not None
    assert reason in problem.reason
    assert fix in problem.fix
    if fix.startswith("write ssh://") or fix.startswith("write https://"):
        assert read_settings(with_url(tmp_path / "again", problem.fix.removeprefix("write "))).repository
