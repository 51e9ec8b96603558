"""Compares what the programs of two checkouts register.

Usage: `python -m tests.support.registered CHECKOUT OTHER` runs the committed and the rich stages with both programs and
lists every resource that is not registered alike.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.harness import registrations
from tests.support.rich_stages import RICH_STAGES, STAGE


def _of_checkout(checkout: Path, projects: Mapping[str, tuple[Path, str]]) -> dict[str, Any]:
    """What a checkout's own program registers for each project and stage; it runs in a separate process."""
    found: dict[str, Any] = {}
    for name, (project, stage) in projects.items():
        done = subprocess.run(
            # The recorder is this checkout's; everything else that runs is the other's.
            [sys.executable, "-P", registrations.__file__, str(project), stage],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
            check=True,
        )
        for one in json.loads(done.stdout):
            found[
                f"{name}: {one['parent'].rpartition('::')[0].rpartition('::')[2]}${one['type']}::{one['name']}"
            ] = one
    return found


def _compare(checkouts: Sequence[Path]) -> int:
    results = []
    for checkout in checkouts:
        with tempfile.TemporaryDirectory() as folder:
            projects = {
                file.name: (checkout, file.name.split(".")[1]) for file in checkout.glob("Pulumi.*.yaml")
            }
            for name, rich in RICH_STAGES.items():
                rich.write(Path(folder) / name)
                shutil.copy(checkout / "__main__.py", Path(folder) / name)
                projects[name] = (Path(folder) / name, STAGE)
            results.append(_of_checkout(checkout, projects))
    one, other = results
    different = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    for key in different:
        print(key)
        for field in sorted(one[key]) if key in one and key in other else ():
            if one[key][field] != other[key][field]:
                print(f"  {field}: {one[key][field]} -> {other[key][field]}")
    print(f"{len(one)} resources, {len(different)} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(_compare([Path(checkout).resolve() for checkout in sys.argv[1:]]))
