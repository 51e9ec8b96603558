"""What is printed shows every character, and gives a CI system no command."""

import ast
import json
import re
import time
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from components.errors import Problem, SettingsError, UserError
from components.visible import in_line, visible
from delivery.cli import app
from delivery.drift.comparing import Drift, DriftClass
from delivery.drift.report import COLUMNS, row
from delivery.identity import Identity
from delivery.output import fail, print_table, say
from tests.support.bad_projects.odd import HOSTILE
from tests.support.projects import CHECKOUT, GOOD_STACK, MODEL, project

ANY = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30), st.lists(st.sampled_from(HOSTILE)).map("".join)
)
# As a runner of GitHub looks for it: in a line without its leading space, and anywhere.
COMMAND = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b\n\tc ä 日本 😀", "a b\n\tc ä 日本 😀"),
        ("\x1b[2J", "\\u001b[2J"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb\ufeff\u3164", "a\\u200bb\\ufeff\\u3164"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("\ud83d", "\\ud83d"),
        ("a\r\nb\rc", "a\nb\\u000dc"),
        ("::error title=x::y", "\\u003a:error title=x::y"),
        ("a\n \t::error::y", "a\n \t\\u003a:error::y"),
        ("a ##[error]x ##vso[b]", "a #\\u0023[error]x #\\u0023vso[b]"),
        ("## a [b]: c::d", "## a [b]: c::d"),
    ],
)
def test_a_character_that_is_not_seen_is_written_as_in_json(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY)
def test_whatever_a_text_is_what_is_printed_is_only_text(text: str) -> None:
    for shown in (visible(text), in_line(text)):
        assert all(sign.isprintable() for sign in shown.replace("\n", "").replace("\t", ""))
        assert not COMMAND.search(shown)
        assert visible(shown) == shown
    assert "\n" not in in_line(text)


@given(ANY)
def test_json_stays_json_of_the_same_meaning(text: str) -> None:
    assert json.loads(visible(json.dumps({text: [text]}, ensure_ascii=False))) == {text: [text]}


@pytest.mark.parametrize("sign", ["\n", " ", "\t", ":", "#", "##", "\r\n", "a\n", "##a"], ids=ascii)
def test_a_long_text_takes_no_longer_than_its_length(sign: str) -> None:
    before = time.process_time()
    visible(sign * 60_000)
    in_line(sign * 60_000)
    assert time.process_time() - before < 5


def test_one_line_can_be_cut() -> None:
    assert in_line("x" * 1_000, 10) == "xxxxxxxxxx... (1000 characters)"


def test_a_problem_is_one_line_whatever_its_parts_are() -> None:
    odd = "\x1b[2J\n::error::x"
    (line,) = str(Problem("is wrong", "repair it", file=odd, line=1, field=odd, value=odd)).splitlines()
    shown = "\\u001b[2J\\u000a::error::x"
    assert line == f"{shown}:1: {shown} = {shown}: is wrong. Fix: repair it"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://someone:pass@git.example.com/a", "https://***@git.example.com/a"),
        ("https://token@git.example.com/a", "https://***@git.example.com/a"),
        ("redis://:pass@redis:6379", "redis://***@redis:6379"),
        ("postgresql+psycopg://u:p@ss@db/x", "postgresql+psycopg://***@db/x"),
        ("ssh://git@git.example.com/a", "ssh://git@git.example.com/a"),
        ("https://git.example.com/a@b", "https://git.example.com/a@b"),
    ],
)
def test_a_message_shows_no_credentials_of_an_address(address: str, shown: str) -> None:
    problem = Problem(f"{address} is wrong", "repair it", value=address, field="url", said=f"no: {address}")
    assert str(problem) == f"url = {shown}: {shown} is wrong: no: {shown}. Fix: repair it"


def test_a_message_is_short_whatever_the_file_is() -> None:
    long = Problem("x" * 100_000, "y" * 100_000, file="f" * 9_000, field="k" * 9_000, value="v" * 9_000)
    assert len(str(long)) < 10_000
    many = str(SettingsError(Problem("is wrong", "repair it", line=line) for line in range(1, 251)))
    assert many.startswith("250 problems found; nothing was changed.\n")
    assert many.endswith("\n  and 150 more")
    assert many.count("is wrong") == 100


def test_texts_and_tables_are_printed_visibly(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2J", err=True)
    say("::error::x")
    print_table(("a",), [["\x1b[2J[bold]x[/]"]], title="t")
    out, err = capsys.readouterr()
    assert err == "\\u001b[2J\n"
    assert out.startswith("\\u003a:error::x\n")
    assert "\\u001b[2J[bold]x[/]" in out


def test_what_another_program_said_is_shown_visibly(capsys: pytest.CaptureFixture[str]) -> None:
    """As kubectl, Pulumi, git and registries do: their words contain those of whoever wrote the object."""
    with pytest.raises(typer.Exit):
        fail(UserError("kubectl failed", "repair it", said="denied:\n::error::x\n\x1b[2J\u202ea ##[error]b"))
    said = capsys.readouterr().err
    assert said == (
        "kubectl failed:\ndenied:\n\\u003a:error::x\n\\u001b[2J\\u202ea #\\u0023[error]b\nFix: repair it\n"
    )


def test_live_objects_and_commits_are_shown_visibly(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "\x1b[2J\n::error::x"
    drift = Drift(
        object=Identity(group="apps", kind="Deployment", name="a", namespace="b"),
        kind=DriftClass.CHANGED,
        path=("spec", odd),
        declared="v1",
        live=odd,
        manager=odd,
        since=odd,
    )
    print_table(COLUMNS, [row(drift)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not COMMAND.search(out)


def test_nothing_else_prints() -> None:
    """What is left answers the process that started it."""
    others = {
        "delivery/features/feast_definitions.py",
        "delivery/features/feast_plan.py",
        "sandbox/harness/registrations.py",
        "sandbox/stand_ins/plugin.py",
    }
    found = set()
    for folder in ("components", "delivery", "policy", "sandbox", "demo"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            calls = (
                node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
            )
            if {ast.unparse(call) for call in calls} & {
                "print",
                "typer.echo",
                "typer.secho",
                "sys.stdout.write",
            }:
                found.add(str(path.relative_to(CHECKOUT)))
    assert found - others == {"delivery/output.py"}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_file_shows_no_raw_character(tmp_path: Path, text: str) -> None:
    quoted = json.dumps(text)
    model = MODEL.replace("owner: team-a", f"owner: {quoted}") + f"env: {{A: {quoted}}}\n{quoted}: 1\n"
    folder = str(project(tmp_path, GOOD_STACK, a=model))
    for command in (["check"], ["show", "test"], ["policy"]):
        output = CliRunner().invoke(app, [*command, "--project", folder]).output
        assert all(sign.isprintable() for sign in output.replace("\n", ""))
        assert not COMMAND.search(output)


def test_wrong_usage_shows_no_raw_character(tmp_path: Path) -> None:
    (project(tmp_path) / "Pulumi.a.yaml").write_text("config: {}\n")
    for arguments in (["show", "\x1b[2J\u202e"], ["\x1b[2J\u202e"], ["show", "test", "--\u202e"]):
        done = CliRunner().invoke(
            app, [*arguments, *(["--project", str(tmp_path)] if "show" in arguments else [])]
        )
        assert done.exit_code == 2
        assert not {"\x1b", "\u202e"} & set(done.output)
