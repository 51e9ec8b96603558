"""Renders the committed and the rich stages with the program of any checkout, and compares two checkouts byte by byte.

Usage: `python -m tests.support.rendered_stages CHECKOUT OUTPUT` writes the manifests of each stage to a folder of
OUTPUT; `python -m tests.support.rendered_stages --compare CHECKOUT OTHER` renders with both and lists what differs.
"""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.rich_stages import RICH_STAGES, STAGE

# Run in the checkout, whose own packages it then finds.
_RENDER = """
import sys
from pathlib import Path
from delivery.rendering.render import render

for line in sys.stdin.read().splitlines():
    project, stage, output = line.split("\\0")
    render(Path(project), stage, Path(output))
"""


def render_all(checkout: Path, output: Path) -> None:
    """Render every stage with a checkout's own program, each into its own folder."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = []
        for file in sorted(checkout.glob("Pulumi.*.yaml")):
            stage = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
            wanted.append((checkout, stage, output / f"committed-{stage}"))
        for name, rich in RICH_STAGES.items():
            project = Path(folder) / name
            rich.write(project)
            shutil.copy(checkout / "__main__.py", project)
            wanted.append((project, STAGE, output / name))
        lines = "\n".join("\0".join(map(str, line)) for line in wanted)
        subprocess.run([sys.executable, "-c", _RENDER], cwd=checkout, input=lines, text=True, check=True)


def differences(one: Path, other: Path) -> Iterator[str]:
    """The files that differ between the folders, or are only in one of them."""
    names = {path.relative_to(folder) for folder in (one, other) for path in folder.rglob("*.yaml")}
    for name in sorted(names):
        if not (one / name).exists():
            yield f"{name} is in {other} only"
        elif not (other / name).exists():
            yield f"{name} is in {one} only"
        elif not filecmp.cmp(one / name, other / name, shallow=False):
            yield f"{name} differs"


def main() -> int:
    """Render one checkout, or compare two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--compare", action="store_true", help="compare what two checkouts render")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("other", type=Path, help="the folder to render to; with --compare the other checkout")
    given = parser.parse_args()
    checkouts = [given.checkout.resolve(), given.other.resolve()]
    if not given.compare:
        render_all(*checkouts)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder) / name for name in ("one", "other")]
        for checkout, output in zip(checkouts, outputs, strict=True):
            render_all(checkout, output)
        found = list(differences(*outputs))
        files = sum(1 for _ in outputs[0].rglob("*.yaml"))
    print("\n".join([*found, f"{files} files, {len(found)} differences"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
