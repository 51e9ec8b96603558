"""A real browser for tests: Chromium, headless, without a network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

OPT_OUT = "SKIP_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HINT = (
    "no Chromium was found. Fix: `.venv/bin/playwright install chromium` downloads one without root, "
    "`apt-get install chromium` installs Debian's, CHROMIUM=/path names another; "
    f"{OPT_OUT}=1 leaves the tests that need a browser out"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A started browser: the one CHROMIUM names, else Playwright's own, else one on PATH.

    Raises:
        FileNotFoundError: there is none; the message says how to get one.
    """
    with sync_playwright() as playwright:
        path = executable(playwright.chromium.executable_path)
        # Inside a container root has no namespace of its own to put the browser's sandbox in.
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=path, args=[*root, "--host-resolver-rules=MAP * ~NOTFOUND"]
        )
        try:
            yield browser
        finally:
            browser.close()


def executable(own: str) -> str:
    """The browser's program; `own` is where Playwright would put one."""
    named = os.environ.get("CHROMIUM")
    found = named or (own if Path(own).is_file() else next(filter(None, map(shutil.which, _NAMES)), None))
    if found is None or not Path(found).is_file():
        raise FileNotFoundError(f"CHROMIUM={named} is no file" if named else HINT)
    return found
