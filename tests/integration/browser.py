"""A real browser for tests: Chromium, headless, without a network."""

import os
import shutil
import subprocess
import sys
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
        # Inside a container root cannot create the namespace for the browser's sandbox.
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=path, args=[*root, "--host-resolver-rules=MAP * ~NOTFOUND"]
        )
        try:
            yield browser
        finally:
            browser.close()


def bring() -> None:
    """Install Debian's Chromium where there is none and this is root's machine with apt.

    Raises:
        FileNotFoundError: there is none, and none can be installed.
    """
    if os.environ.get(OPT_OUT):
        return
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    try:
        executable(own)
    except FileNotFoundError:
        if os.environ.get("CHROMIUM") or os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        print("Installing Chromium, which the tests of the history page need.", file=sys.stderr)
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", "-qq", *arguments],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdout=sys.stderr,
                timeout=900,
                check=False,
            )
        executable(own)


def executable(own: str) -> str:
    """The browser's executable; `own` is where Playwright would install one."""
    named = os.environ.get("CHROMIUM")
    found = named or (own if Path(own).is_file() else next(filter(None, map(shutil.which, _NAMES)), None))
    if found is None or not Path(found).is_file():
        raise FileNotFoundError(f"CHROMIUM={named} is not a file" if named else HINT)
    return found


if __name__ == "__main__":
    try:
        bring()
    except FileNotFoundError as error:
        sys.exit(str(error))
