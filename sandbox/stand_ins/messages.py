"""Makes the SDK's generated messages importable without the SDK, which takes twice as long to import as the rest.

The CLI starts the language host twice per command, and the host itself only uses the messages.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_messages_alone() -> None:
    """Make `pulumi.runtime.proto` importable without what its parents import; no effect where they are imported."""
    spec = importlib.util.find_spec("pulumi")
    if "pulumi" in sys.modules or spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent
    for name, place in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        module = ModuleType(name)
        module.__path__ = [str(place)]
        sys.modules[name] = module
