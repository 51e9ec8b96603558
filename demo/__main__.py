"""`python -m demo`: the whole loop, with every part real but the kubelets; `make demo` calls it."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from demo.loop import tell
from demo.project import DemoError
from sandbox.errors import SandboxError


def main(
    report: Annotated[
        Path | None, typer.Option(help="Write each step, its seconds and what it printed there, as JSON.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write the page of the fleet there.")] = None,
) -> None:
    """Train, promote, review, deploy, break and roll back a model in a repository and a sandbox of the demo's own."""
    with tempfile.TemporaryDirectory(prefix="ml-deployments-demo-") as name:
        folder = Path(name)
        try:
            steps = tell(folder, typer.echo)
        except (DemoError, SandboxError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        if page is not None:
            page.write_bytes((folder / "fleet.html").read_bytes())
    if report is not None:
        report.write_text(json.dumps(steps, indent=2), encoding="utf-8")
    table = Table("step", "seconds")
    for step in steps:
        table.add_row(str(step["name"]), f"{step['seconds']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
