"""Stand-ins for tools, and where the sandbox looks for them, for tests."""

from pathlib import Path

import pytest

from sandbox.tools import pins


def executable(folder: Path, name: str, output: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


def build_folder(cache: Path, tools: pins.ToolSet) -> Path:
    return cache / "tools" / tools.name / tools.fingerprint()


def use_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
