"""Whether the checkout may be deployed, as far as no backend is needed."""

from pathlib import Path

import pytest

from tests.support.repositories import Work
from tests.unit.commands.test_delivery import run


def pulumi_prints(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    "text", ["A new version of Pulumi is available", '{"message": "no"}', '["one"]', "{}"]
)
def test_a_history_that_is_none_is_one_message(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work.new(tmp_path / "work")
    pulumi_prints(tmp_path / "bin", text, monkeypatch)
    code, _, err = run("deployable", "staging", "--project", work.folder)
    assert code == 1
    assert err.startswith("the history of staging cannot be read: `pulumi stack history --json` printed")
    assert f"begins with {text!r}. Fix: " in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "null", "[]"])
def test_a_stack_that_was_never_updated(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work.new(tmp_path / "work")
    pulumi_prints(tmp_path / "bin", text, monkeypatch)
    code, out, _ = run("deployable", "staging", "--project", work.folder)
    assert (code, out) == (0, f"{work.head[:12]} may be deployed to staging, as the first one known\n")
