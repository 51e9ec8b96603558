"""Reads the pages of the documentation: their prose, their blocks and what they show as code."""

import re
from pathlib import Path

from tests.support.projects import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md"))]
_BLOCK = re.compile(r"^(`{3,}).*?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    """The path of a page in the checkout, as the id of a test."""
    return str(path.relative_to(CHECKOUT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language in a page."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def code(page: Path) -> list[str]:
    """The lines of a page's fenced blocks without their comments, and what is between backticks in its prose."""
    lines = [
        line for block in _BLOCK.finditer(page.read_text(encoding="utf-8")) for line in block[2].splitlines()
    ]
    return [*(line.partition(" #")[0] for line in lines), *re.findall(r"`([^`]+)`", prose(page))]
