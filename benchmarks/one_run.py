"""Renders or registers one project in this process, and prints what the whole process took as JSON."""

import importlib
import json
import sys
import time
from pathlib import Path

RENDER, REGISTER = "render", "register"
# Imported when they run, so that what a program imports counts for it alone.
_FUNCTIONS = {
    RENDER: ("delivery.rendering.render", "manifests"),
    REGISTER: ("sandbox.harness.registrations", "record"),
}


def main() -> None:
    """Run what the command line names; `seconds` are of processor time, `memory` is the peak in MiB."""
    module, function = _FUNCTIONS[sys.argv[1]]
    getattr(importlib.import_module(module), function)(Path(sys.argv[2]), "test")
    seconds = time.process_time()
    # Not getrusage: its maximum includes that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "memory": memory}))


if __name__ == "__main__":
    main()
