"""Makes the SDK's generated messages importable without the SDK, which takes twice as long to import as all the rest.

The CLI starts the language host twice a command, and the host itself uses nothing but the messages.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_messages_alone() -> None:
    """Let `pulumi.runtime.proto` be imported without what its parents import; nothing where they are imported."""
    spec = importlib.util.find_spec("pulumi")
    if "pulumi" in sys.modules or spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent
    for name, place in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        module = ModuleType(name)
        module.__path__ = [str(place)]
        sys.modules[name] = module
