"""`python -m benchmarks [SUITE ...]`: measures, prints tables, writes build/benchmarks.json; all suites by default."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import delivering, deploying, drifting, feature_steps, features, monitoring, rendering
from components.errors import Problem
from delivery.output import listed, print_table
from sandbox.harness.clone import CHECKOUT

OUTPUT = CHECKOUT / "build" / "benchmarks.json"
SUITES: dict[str, Callable[[Path], Sequence[Mapping[str, Any]]]] = {
    "rendering": rendering.measure,
    "deploying": deploying.measure,
    "monitoring": monitoring.measure,
    "drifting": drifting.measure,
    "delivering": delivering.measure,
    "features": features.measure,
    "feature-steps": feature_steps.measure,
}


def main() -> None:
    """Run the suites on the command line; all by default."""
    names = sys.argv[1:] or [*SUITES]
    if unknown := [name for name in names if name not in SUITES]:
        sys.exit(str(Problem(f"{listed(unknown)} is not a suite", f"name some of {', '.join(SUITES)}")))
    OUTPUT.parent.mkdir(exist_ok=True)
    results: dict[str, Any] = json.loads(OUTPUT.read_text()) if OUTPUT.is_file() else {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = SUITES[name](Path(folder))
        print_table(results[name][0], (map(str, row.values()) for row in results[name]), title=name)
        OUTPUT.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {OUTPUT.relative_to(CHECKOUT)}")


if __name__ == "__main__":
    main()
