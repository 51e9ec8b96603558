"""The page of the fleet, as text; tests/integration/delivery/test_history_page.py checks it in a browser."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.git.commits import Commit
from delivery.history.model_history import Change, History
from delivery.history.page import history_page
from delivery.releases.changes import Deployed
from tests.support.repositories import Work, flow
from tests.unit.commands.test_delivery import run


class Page(HTMLParser):
    """The tags of a page, every attribute, and the texts outside style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open not in {"style", "script"}:
            self.texts.append(data)


def made(**texts: str) -> History:
    """A history of two changes with untrusted texts."""
    text = {name: texts.get(name, "x") for name in ("author", "subject", "model", "stage", "version", "gate")}
    commit = Commit(
        revision="1" * 40,
        parents=(),
        author=text["author"],
        when="2026-11-24T10:00:00+01:00",
        subject=text["subject"],
        body="",
        trailers={},
    )
    after = Deployed(version=text["version"], digest=None, replicas=1)
    change = Change(
        stage=text["stage"],
        model=text["model"],
        before=None,
        after=after,
        commit=commit,
        merge=commit,
        when=commit.when,
        position=0,
        oldest_known=False,
        file="Pulumi.staging.yaml",
        gate=text["gate"],
        reason=text["gate"],
    )
    return History(head=commit.revision, shallow=True, changes=(change, change), elsewhere=())


PLAIN = Page(history_page(made()))
HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</style><b>",
            '"><img src=x onerror=alert(1)>',
            "' onload='x",
            "{{ 7 * 7 }}",
            "--><!--",
        ]
    ),
)


@settings(deadline=None)
@given(
    texts=st.fixed_dictionaries(
        dict.fromkeys(("author", "subject", "model", "stage", "version", "gate"), HOSTILE)
    )
)
def test_texts_of_others_are_only_ever_text(texts: dict[str, str]) -> None:
    page = Page(history_page(made(**texts)))
    assert page.tags == PLAIN.tags
    assert Counter(name for name, _ in page.attributes) == Counter(name for name, _ in PLAIN.attributes)


def test_what_was_written_is_what_is_shown() -> None:
    page = Page(history_page(made(subject="<b>{{ 7 * 7 }} & more</b>")))
    assert "<b>{{ 7 * 7 }} & more</b>" in "".join(page.texts)


def test_the_page_loads_nothing() -> None:
    text = history_page(made())
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import|\bsrc=|<link", text)
    assert all(value.startswith("#") for name, value in PLAIN.attributes if name == "href")


def test_tables_have_heads_for_every_column_and_row() -> None:
    assert PLAIN.tags["table"] == 2
    assert ("scope", "row") in PLAIN.attributes
    assert PLAIN.attributes.count(("scope", "col")) == PLAIN.tags["th"] - 1


def test_the_command_writes_what_the_filter_says(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "work", a=flow("v1"), b=flow("v1"))
    run("tag", "staging", "--project", work.folder)
    work.release("staging", a=flow("v2"), b=flow("v1"))
    file = tmp_path / "out" / "page.html"
    code, out, _ = run("history", "a", "--html", file, "--project", work.folder)
    assert (code, out) == (0, f"3 changes written to {file}\n")
    text = " ".join("".join(Page(file.read_text()).texts).split())
    assert "1 model, 2 stages, 3 changes" in text
    assert "v1 to v2" in text
    assert "no deployment tagged" in text


@pytest.mark.parametrize("model", ["a", None])
def test_a_project_without_models(tmp_path: Path, model: str | None) -> None:
    page = history_page(History(head="1" * 40, shallow=False, changes=(), elsewhere=()).only(model, None))
    assert "No model runs in any stage." in page
    assert "No commit changed a model." in page
