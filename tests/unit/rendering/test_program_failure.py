"""A program that fails is told by its own lines, and by no traceback of what ran it."""

from pathlib import Path

import pytest

from tests.support.projects import project
from tests.unit.commands.test_delivery import run

CONFIG_MAP = "import pulumi_kubernetes as k8s\nfirst = k8s.core.v1.ConfigMap('a', metadata={'name': 'a'})\n"


def failing(folder: Path, program: str) -> Path:
    project(folder)
    (folder / "__main__.py").write_text(program)
    return folder


def told(folder: Path, *command: str) -> str:
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
            "the program failed at __main__.py:2 (from __main__.py:3): ValueError: bad thing. Fix: ",
        ),
        ("assert 0 > 1\n", "the program failed at __main__.py:1: AssertionError. Fix: "),
        (
            "import nowhere\n",
            "failed at __main__.py:1: ModuleNotFoundError: No module named 'nowhere'. Fix: ",
        ),
        ("\ndef f(:\n", "the program failed at __main__.py:2: SyntaxError: invalid syntax. Fix: "),
        (
            f"{CONFIG_MAP}k8s.core.v1.ConfigMap(None)\n",
            "failed at __main__.py:3: TypeError: Missing resource name argument",
        ),
        (
            f"{CONFIG_MAP}def later(name):\n    return {{}}[name]\n"
            "k8s.core.v1.ConfigMap('b', metadata={'name': first.metadata['name'].apply(later)})\n",
            "the program failed at __main__.py:4: KeyError: 'a'. Fix: ",
        ),
        (f"{CONFIG_MAP}import sys\nsys.exit()\n", "ended by itself at __main__.py:4: exit code 0. Fix: "),
        ("raise SystemExit(3)\n", "ended by itself at __main__.py:1: exit code 3. Fix: "),
    ],
)
def test_what_a_program_raises_is_one_message(tmp_path: Path, program: str, said: str) -> None:
    err = told(failing(tmp_path / "p", program), "render", "test", "--output", str(tmp_path / "out"))
    assert said in err
    assert "`pulumi preview --stack test` shows the whole traceback" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("policy",), ("drift", "test", "--work-tree")])
def test_every_command_that_runs_the_program_tells_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "the program failed at __main__.py:1: ZeroDivisionError" in told(
        failing(tmp_path, "1 / 0\n"), *command
    )


def test_components_of_another_checkout_are_named_too(tmp_path: Path) -> None:
    folder = failing(tmp_path, "\nfrom components.own import make\nmake()\n")
    (folder / "components").mkdir()
    (folder / "components" / "__init__.py").write_text("")
    (folder / "components" / "own.py").write_text("def make():\n    raise LookupError\n")
    said = "the program failed at components/own.py:2 (from __main__.py:3): LookupError. Fix: "
    assert said in told(folder, "policy", "test")


def test_components_of_this_checkout_are_named_too(tmp_path: Path) -> None:
    program = "from components.serving.model import Model\nModel(None, None)\n"
    err = told(failing(tmp_path, program), "policy", "test")
    assert "the program failed at components/serving/model.py:" in err
    assert "(from __main__.py:2): AttributeError" in err
