"""The threat model names tests that exist."""

import re

import pytest

from tests.support.pages import DOCS, relative
from tests.support.projects import CHECKOUT

PAGE = DOCS / "threat-model.md"
NAMED = sorted(set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8"))))
DEFINED = {
    name
    for path in (CHECKOUT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_page_names_exists(name: str) -> None:
    assert name in DEFINED, f"{relative(PAGE)} names a test that does not exist"


def test_every_attack_has_a_test() -> None:
    attacks = PAGE.read_text(encoding="utf-8").partition("## What is tried")[2].partition("## What is not")[0]
    rows = [
        line for line in attacks.splitlines() if line.startswith("| ") and not line.startswith("| attack")
    ]
    assert rows
    assert [row for row in rows if "`test_" not in row.rstrip(" |").rpartition("|")[2]] == []
