"""A page becomes one comment of a pull request, whatever else is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from delivery.cli import app
from delivery.review import comment as module
from delivery.review.comment import LONGEST_CHARACTERS, PullRequest, comment
from tests.support.github_stand_in import TOKEN, GitHub, github

MARKER = "<!-- ml-deployments review: production -->"
OTHER = "<!-- ml-deployments review: staging -->"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    monkeypatch.setattr(module, "_PAUSES_SECONDS", (0, 0, 0, 0))
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    with github() as state:
        yield state


def send(
    server: GitHub, text: str = f"{MARKER}\nnew", token: str = TOKEN, number: int = 7
) -> tuple[str, str]:
    return comment(PullRequest(repository="example/models", number=number, token=token, api=server.url), text)


def test_the_first_page_is_posted_and_the_next_one_edits_it(server: GitHub) -> None:
    assert send(server, f"{MARKER}\none")[0] == "posted"
    assert send(server, f"{OTHER}\ntwo")[0] == "posted"
    done, address = send(server, f"{MARKER}\nthree")
    assert done == "edited"
    assert address.endswith("#issuecomment-1")
    assert server.bodies() == [f"{MARKER}\nthree", f"{OTHER}\ntwo"]


@pytest.mark.parametrize("before", [0, 99, 100, 101, 119])
def test_the_comment_is_found_among_120_on_any_page(server: GitHub, before: int) -> None:
    for number in range(120):
        if number == before:
            server.add(f"{MARKER}\nold", "deployer")
        else:
            server.add(None if number % 2 else f"{MARKER} quoted by a person")
    assert send(server)[0] == "edited"
    assert server.comments[before]["body"] == f"{MARKER}\nnew"
    assert len(server.comments) == 120


def test_a_workflows_own_token_finds_the_bots_comment_and_no_persons(server: GitHub) -> None:
    server.login = None
    server.add(f"{MARKER}\na person's")
    assert send(server)[0] == "posted"
    assert send(server, f"{MARKER}\nagain")[0] == "edited"
    assert server.bodies() == [f"{MARKER}\na person's", f"{MARKER}\nagain"]


def test_a_comment_that_is_deleted_in_between_is_posted_again(server: GitHub) -> None:
    found = server.add(f"{MARKER}\nold", "deployer")
    server.vanishing = {found["id"]}
    server.add("a person's")
    assert send(server)[0] == "posted"
    assert server.bodies() == ["a person's", f"{MARKER}\nnew"]


def test_a_wrong_token_is_reported_and_never_shown(server: GitHub) -> None:
    with pytest.raises(UserError, match="Fix: set GITHUB_TOKEN") as error:
        send(server, token="secret-and-wrong")
    assert "401: Bad credentials" in str(error.value)
    assert "secret-and-wrong" not in str(error.value)
    assert server.comments == []


@pytest.mark.parametrize(
    ("headers", "said", "fix"),
    [
        ({"x-ratelimit-remaining": "0"}, "API limit", "wait until the rate limit is reset"),
        ({}, "You have exceeded a secondary rate limit", "wait until the rate limit is reset"),
        ({}, "Resource not accessible by integration", "forks never have it"),
    ],
)
def test_a_refusal_says_what_to_do(server: GitHub, headers: dict[str, str], said: str, fix: str) -> None:
    server.failures["POST"] = [(403, headers, said)]
    with pytest.raises(UserError, match=fix) as error:
        send(server)
    assert said in str(error.value)


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_passing_faults_are_waited_out(server: GitHub, method: str) -> None:
    if method == "PATCH":
        server.add(f"{MARKER}\nold", "deployer")
    server.failures[method] = [(502, {}, "bad gateway"), (503, {}, "unavailable")]
    send(server)
    assert server.bodies() == [f"{MARKER}\nnew"]


def test_a_post_whose_answer_was_lost_adds_no_second_comment(server: GitHub) -> None:
    server.carried_out = True
    server.failures["POST"] = [(504, {}, "timeout")]
    assert send(server)[0] == "edited"
    assert server.bodies() == [f"{MARKER}\nnew"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_lasting_fault_ends_after_few_tries(server: GitHub, method: str) -> None:
    server.failures[method] = [(500, {}, "fault")] * 50
    with pytest.raises(UserError, match="GitHub has a fault"):
        send(server)
    assert sum(asked.startswith(method) for asked in server.asked if "/user" not in asked) <= 5


def test_a_pull_request_that_is_not_there(server: GitHub) -> None:
    with pytest.raises(UserError, match="has no example/models#8"):
        send(server, number=8)


def test_a_server_that_is_not_there(server: GitHub) -> None:
    server.url = "http://127.0.0.1:1"
    with pytest.raises(UserError, match="could not be reached"):
        send(server)


def test_a_page_without_a_marker_or_too_long_is_not_sent(server: GitHub) -> None:
    for text, said in (("hello", "marker"), (f"{MARKER}\n{'x' * LONGEST_CHARACTERS}", "characters")):
        with pytest.raises(UserError, match=said):
            send(server, text)
    assert server.asked == []


def test_the_command_takes_the_token_from_the_environment_alone(
    server: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{MARKER}\ntext", encoding="utf-8")
    arguments = ["comment", "--repository", "example/models", "--pull-request", "7", str(page)]
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    missing = CliRunner().invoke(app, arguments)
    assert missing.exit_code == 1
    assert "GITHUB_TOKEN is not set" in missing.output
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("posted: https://")
    wrong = CliRunner().invoke(app, ["comment", "--repository", "../..", "--pull-request", "7", str(page)])
    assert wrong.exit_code == 2


def test_only_the_page_of_the_stage_is_posted(
    server: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    page = tmp_path / "page.md"
    command = [
        "comment",
        "--repository",
        "example/models",
        "--pull-request",
        "7",
        "--stage",
        "staging",
        str(page),
    ]
    page.write_text(f"{MARKER}\nof another stage")
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert f"is marked as another one, and not as {OTHER}" in result.output
    page.write_text(f"{OTHER}\n{'x' * 100_000}")
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "characters and GitHub accepts 65,536" in result.output
    assert server.bodies() == []
    page.write_text(f"{OTHER}\nits own")
    assert CliRunner().invoke(app, command).exit_code == 0
    assert server.bodies() == [f"{OTHER}\nits own"]
