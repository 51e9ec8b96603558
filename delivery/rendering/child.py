"""Runs a checkout's program and prints what it renders as JSON. `apart.py` starts it.

Only modules that import nothing of `components` may be imported here: in this process that is another checkout's.
"""

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from delivery.rendering.program_failure import failure

# By name: the class is that of the other checkout.
_REFUSAL = ("components.errors", "UserError")


def main() -> None:
    """Render `sys.argv[1]`'s stage `sys.argv[2]`."""
    project, stage = Path(sys.argv[1]), sys.argv[2]
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the program itself prints is not the answer.
    os.dup2(2, 1)
    sys.path[0] = str(project)
    with answer:
        answer.write(_rendered(project, stage))


def _rendered(project: Path, stage: str) -> str:
    try:
        return json.dumps({"objects": importlib.import_module("components.program").rendered(project, stage)})
    except (Exception, SystemExit) as error:
        if any((one.__module__, one.__name__) == _REFUSAL for one in type(error).__mro__):
            problems: Any = getattr(error, "problems", ())
            return json.dumps({"refused": str(error), "problems": [asdict(problem) for problem in problems]})
        return json.dumps({"failed": failure(error, project, stage)})
