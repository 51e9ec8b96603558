"""The page of the fleet in a real browser."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from delivery.git.repository import Repository
from delivery.history.model_history import history
from delivery.history.page import history_page
from tests.integration.browser import HINT, OPT_OUT, chromium, executable
from tests.support.repositories import Work, flow
from tests.unit.commands.test_delivery import run

pytestmark = pytest.mark.skipif(OPT_OUT in os.environ, reason=f"{OPT_OUT} is set")
SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1280, "height": 900},
    "narrow": {"width": 360, "height": 800},
}
ENOUGH = 4.5
# Milliseconds; a busy machine may be slow.
expect.set_options(timeout=30_000)
# The contrast of a text with its background, as WCAG 2 defines it, for every element with a text.
CONTRASTS = """() => {
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.tagName !== "SCRIPT" && element.checkVisibility())
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((element) => {
      const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
      return [element.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models: releases, a revert, a deployment, a long name and a message with markup."""
    folder = tmp_path_factory.mktemp("fleet")
    long = "sentiment-classifier-of-a-very-long-name"
    work = Work.new(folder / "work", **{"ranker": flow("v1"), long: flow("v1")})
    work.release(
        "staging",
        "<script>document.title = 'gone'</script>" + "x" * 200,
        **{"ranker": flow("v2"), long: flow("v1")},
    )
    run("tag", "staging", "--project", work.folder)
    work.git("revert", "--no-edit", "HEAD")
    page = folder / "page.html"
    page.write_text(history_page(history(Repository(work.folder))), encoding="utf-8")
    return page


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES["wide"])
    shown = context.new_page()
    problems: list[str] = []
    shown.on("pageerror", lambda error: problems.append(str(error)))
    shown.on("console", lambda message: problems.append(message.text))
    shown.on(
        "request", lambda request: problems.append(request.url) if request.url != file.as_uri() else None
    )
    shown.goto(file.as_uri())
    yield shown
    assert problems == [], "the page must load nothing and report nothing"
    context.close()


def shown_models(page: Page) -> list[str]:
    return page.locator("#models tbody tr:visible th").all_inner_texts()


def shown_changes(page: Page) -> int:
    return page.locator("#changes tbody tr:visible").count()


def test_the_fleet_and_its_changes_are_shown(page: Page) -> None:
    assert page.title() == "Model deployments"
    assert "ranker" in shown_models(page)
    assert shown_changes(page) == 6
    cell = page.locator("#models tr", has_text="ranker").locator("td[data-stage=staging]")
    assert re.search(r"v1\s+2 replicas\s+rolled back", cell.inner_text())
    assert page.get_by_text("<script>document.title").count() == 2


def test_the_filter_works_from_the_keyboard_and_is_kept_in_the_address(page: Page) -> None:
    count = page.get_by_role("status")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("RANK")
    expect(count).to_have_text("4 of 6 changes")
    assert shown_models(page) == ["ranker"]
    assert shown_changes(page) == 4
    page.keyboard.press("Tab")
    page.keyboard.press("p")
    expect(count).to_have_text("1 of 6 changes")
    assert shown_changes(page) == 1
    assert page.locator("#models thead th:visible").all_inner_texts() == ["Model", "production"]
    assert page.evaluate("location.hash") == "#model=RANK&stage=production"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(count).to_have_text("6 of 6 changes")


def test_a_link_with_a_filter_opens_filtered(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(f"{file.as_uri()}#model=rank&stage=staging")
    assert (shown_models(page), shown_changes(page)) == (["ranker"], 3)
    page.close()


def test_without_its_script_it_shows_everything(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert shown_changes(page) == 6
    assert not page.locator("#filter").is_visible()
    context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(browser: Browser, file: Path, scheme: Any, size: str) -> None:
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    assert [text for text, contrast in contrasts if contrast < ENOUGH] == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")
    context.close()


def test_its_tables_are_tables_to_those_who_cannot_see_them(page: Page) -> None:
    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("columnheader").all_inner_texts()[:3] == ["Model", "production", "staging"]
    assert page.get_by_role("rowheader").count() == 2
    assert page.get_by_role("region", name="What runs").count() == 1
    assert page.get_by_label("Model", exact=True).count() == 1


def test_a_missing_browser_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=re.escape(HINT)):
        executable(str(tmp_path / "none"))
