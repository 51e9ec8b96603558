"""The commands, options and make targets that the documentation names exist, and its tables miss none."""

import functools
import re
from pathlib import Path

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from delivery.cli import COMMANDS, app
from sandbox.cli import app as sandbox
from tests.support.pages import PAGES, code, relative
from tests.support.projects import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WITHOUT_CHECKOUT = {"comment", "schema"}


@functools.cache
def usage(command: str) -> str:
    """The help of a command, each option on a separate line."""
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "250"})
    assert result.exit_code == 0, result.output
    return result.output


def arguments(command: str) -> str:
    """The positional arguments, like `STAGE [MODEL]`."""
    found = re.search(rf" {command} \[OPTIONS\](.*)", usage(command))
    assert found is not None
    return re.sub(r"[{}]", "", found[1]).strip().upper()


def options(command: str) -> set[str]:
    return set(re.findall(r"^│ \*? *(--[a-z-]+)", usage(command), re.MULTILINE))


def unknown(lines: list[str]) -> list[str]:
    """The lines of code that call a command of `delivery` that does not exist, or give it such an option."""
    found = []
    for line in lines:
        for command, rest in re.findall(r"(?:\bdelivery|\$\(DELIVERY\)) ([a-z][a-z-]*)([^|;&]*)", line):
            given = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", rest))
            if command not in COMMANDS or not given <= options(command):
                found.append(line)
    return found


def test_the_table_of_the_readme_has_each_command_in_its_order() -> None:
    rows = re.findall(r"^\| `python -m delivery ([a-z-]+)", README, re.MULTILINE)

    assert rows == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_table_of_the_readme_names_the_arguments(command: str) -> None:
    row = re.search(rf"^\| `python -m delivery {command}((?: [^`]*)?)` \|", README, re.MULTILINE)

    assert row is not None
    assert row[1].partition(" --")[0].strip() == arguments(command)


def test_the_readme_says_which_commands_look_at_a_checkout() -> None:
    assert "take `--project DIR`, except `comment` and `schema`" in README
    assert {command for command in COMMANDS if "--project" not in options(command)} == WITHOUT_CHECKOUT


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_and_options_that_pages_name_exist(page: Path) -> None:
    assert unknown(code(page)) == []


def test_commands_and_options_that_the_makefile_calls_exist() -> None:
    recipes = [line for line in MAKEFILE.splitlines() if line.startswith("\t")]

    assert any("$(DELIVERY) check" in line for line in recipes)
    assert unknown(recipes) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_make_targets_that_pages_name_exist(page: Path) -> None:
    named = {name for line in code(page) for name in re.findall(r"\bmake ([a-z][a-z-]*)", line)}

    assert named - TARGETS == set()


def test_make_targets_that_messages_name_exist() -> None:
    named = {
        name
        for folder in ("components", "delivery", "policy", "sandbox")
        for path in (CHECKOUT / folder).rglob("*.py")
        for name in re.findall(r"`make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"))
    }

    assert len(named) > 2
    assert named - TARGETS == set()


def test_the_lists_of_the_sandbox_have_each_command() -> None:
    commands = set(get_group(sandbox).commands)
    page = (CHECKOUT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^sandbox/ +python -m sandbox: (.*)$", README, re.MULTILINE)

    assert set(re.findall(r"^\| `python -m sandbox ([a-z]+)", page, re.MULTILINE)) == commands
    assert set(listed.split(", ")) == commands


def test_what_looks_for_unknown_commands_finds_them() -> None:
    assert unknown(["python -m delivery check --registry", "delivery drift production --heal"]) == []
    wrong = ["python -m delivery chek", "$(DELIVERY) check --nothing", "python -m delivery tag --html x"]
    assert unknown(wrong) == wrong
