"""`python -m demo`: the whole loop, with every part real except the kubelets; `make demo` calls it."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from delivery.output import print_table, problems, say
from demo.loop import run


def main(
    report: Annotated[
        Path | None, typer.Option(help="Write each step, its seconds and what it printed there, as JSON.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write the page of the fleet there.")] = None,
) -> None:
    """Train, promote, review, deploy, break and roll back a model in the demo's own repository and sandbox."""
    with tempfile.TemporaryDirectory(prefix="ml-deployments-demo-") as name:
        folder = Path(name)
        with problems():
            steps = run(folder, say)
        if page is not None:
            page.write_bytes((folder / "fleet.html").read_bytes())
    if report is not None:
        report.write_text(json.dumps(steps, indent=2), encoding="utf-8")
    print_table(("step", "seconds"), ((str(step["name"]), f"{step['seconds']:.1f}") for step in steps))


if __name__ == "__main__":
    typer.run(main)
