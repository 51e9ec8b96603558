"""The whole loop, as `make demo` runs it: with a real OCI registry, MLflow, git, Pulumi and API server."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from sandbox.harness.clone import CHECKOUT

LOOP_SECONDS = 1200
FAILS_THE_GATE = "v1.2.0 fails the gate on f1 (at least 0.80, may fall by 0.01)"


@dataclass(frozen=True)
class Loop:
    """What each step printed, by its name, and the page of the fleet."""

    said: dict[str, str]
    page: str


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    folder = tmp_path_factory.mktemp("loop")
    outputs = ["--report", str(folder / "steps.json"), "--page", str(folder / "page.html")]
    command = [sys.executable, "-m", "demo", *outputs]
    done = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=LOOP_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    steps = json.loads((folder / "steps.json").read_text())
    return Loop({step["name"]: step["said"] for step in steps}, (folder / "page.html").read_text())


def test_a_promotion_shows_its_line_and_the_gates_verdict(loop: Loop) -> None:
    said = loop.said["promote v1.1.0 to production"]
    (added,) = [line for line in said.splitlines() if line.startswith("+  ")]
    assert 'version: "v1.1.0", digest: "sha256:' in added
    assert "0.8908" in said
    assert "0.9426" in said
    assert "passed" in said


def test_the_review_of_a_promotion_is_two_updates_that_nothing_stops(loop: Loop) -> None:
    page = loop.said["review the promotion to production"]
    assert "## Review of <code>production</code>: 2 updates, nothing stops it" in page
    assert "<code>v1.0.0</code> → <code>v1.1.0</code>" in page
    assert "<code>0.8908</code> → <code>0.9426</code> (passed)" in page


def test_a_worse_version_is_refused_and_an_edit_by_hand_is_stopped(loop: Loop) -> None:
    assert FAILS_THE_GATE in loop.said["promote v1.2.0 to production: refused by the gate"]
    page = loop.said["review the edit by hand: stopped"]
    assert "stopped by 1 finding" in page
    assert "v1.2.0 fails the gate on" in page


def test_a_change_by_hand_is_found_and_healed(loop: Loop) -> None:
    found = loop.said["find what was changed by hand"]
    assert "2 differences" in found
    assert "DEBUG" in found
    assert "0 differences" in loop.said["heal it"]


def test_history_shows_the_break_and_its_revert(loop: Loop) -> None:
    rows = loop.said["who did what"]
    order = [rows.index(text) for text in ("v1.2.0 to", "v1.1.0 to", "v1.0.0 to", "added at")]
    assert order == sorted(order)
    assert "reverts" in rows
    assert "reverted by" in rows


def test_the_page_of_the_fleet_names_what_runs(loop: Loop) -> None:
    assert "sentiment-classifier" in loop.page
    assert "v1.1.0" in loop.page
    assert "://" not in loop.page
