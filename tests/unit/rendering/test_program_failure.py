"""A program that fails is reported by its own lines, without a traceback of its caller."""

from pathlib import Path

import pytest

from tests.support import programs
from tests.support.projects import project
from tests.unit.commands.test_delivery import run


def failing(folder: Path, program: str, **modules: str) -> Path:
    programs.write(project(folder), program, **modules)
    return folder


def said_by(folder: Path, *command: str) -> str:
    code, _, err = run(*command, "--project", folder)
    assert code == 1
    assert "Traceback" not in err
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "def f():\n    raise ValueError('bad\\nthing')\nf()\n",
            "failed at components/program.py:2 (from components/program.py:3): ValueError: bad thing. Fix: ",
        ),
        (
            "def rendered(project, stage):\n    assert 0 > 1\n",
            "the program failed at components/program.py:2: AssertionError. Fix: ",
        ),
        (
            "import nowhere\n",
            "failed at components/program.py:1: ModuleNotFoundError: No module named 'nowhere'. Fix: ",
        ),
        ("\ndef f(:\n", "the program failed at components/program.py:2: SyntaxError: invalid syntax. Fix: "),
        ("import sys\nsys.exit()\n", "exited early at components/program.py:2: exit code 0. Fix: "),
        (
            "def rendered(project, stage):\n    raise SystemExit(3)\n",
            "exited early at components/program.py:2: exit code 3. Fix: ",
        ),
    ],
)
def test_what_a_program_raises_is_one_message(tmp_path: Path, program: str, said: str) -> None:
    err = said_by(failing(tmp_path / "p", program), "render", "test", "--output", str(tmp_path / "out"))
    assert said in err
    assert "`pulumi preview --stack test` shows the whole traceback" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("policy",), ("drift", "test", "--work-tree")])
def test_every_command_that_runs_the_program_reports_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "the program failed at components/program.py:1: ZeroDivisionError" in said_by(
        failing(tmp_path, "1 / 0\n"), *command
    )


def test_the_innermost_and_the_outermost_line_are_named(tmp_path: Path) -> None:
    folder = failing(
        tmp_path, "\nfrom components.own import make\nmake()\n", own="def make():\n    raise LookupError\n"
    )
    said = "the program failed at components/own.py:2 (from components/program.py:3): LookupError. Fix: "
    assert said in said_by(folder, "policy", "test")


def test_components_of_this_checkout_are_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.stage.kubernetes_object", None)
    err = said_by(project(tmp_path), "policy", "test")
    assert "the program failed at components/stage.py:" in err
    assert "(from components/program.py:" in err
    assert "TypeError" in err
