"""What the stand-in of the language host shows when a program fails."""

import pytest

from sandbox.stand_ins.program_runner import program_traceback


def crash(source: str) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        exec(compile(source, "/project/__main__.py", "exec"), {})
    assert caught.value.__traceback__ is not None
    return caught.value.with_traceback(caught.value.__traceback__.tb_next)


def test_a_traceback_begins_with_the_program() -> None:
    text = program_traceback(crash("def f():\n    return {}['x']\nf()\n"))
    lines = text.splitlines()
    assert lines[1] == '  File "/project/__main__.py", line 3, in <module>'
    assert lines[-1] == "KeyError: 'x'"


def test_a_program_that_cannot_be_compiled_is_shown_without_what_ran_it() -> None:
    error = SyntaxError("invalid syntax", ("/project/__main__.py", 1, 5, "def x(:"))
    text = program_traceback(error)
    assert "Traceback" not in text
    assert 'File "/project/__main__.py", line 1' in text
    assert text.endswith("SyntaxError: invalid syntax\n")
