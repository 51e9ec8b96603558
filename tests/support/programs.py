"""Projects with their own components, as another commit's work tree has them."""

from pathlib import Path


def write(project: Path, program: str, **modules: str) -> None:
    """Give a project its own components: `program.py` with this text, and further modules by name."""
    folder = project / "components"
    folder.mkdir(exist_ok=True)
    for name, text in {"__init__": "", "program": program, **modules}.items():
        (folder / f"{name}.py").write_text(text)
