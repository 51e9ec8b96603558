"""The steps from definitions in git to a feature that is read, each against a peer in the same run.

Feast's own commands are compared with one that does nothing, `feast version`: the difference is their work. The server
and its reads are compared with a bare `feast serve` on the same Redis and the same registry.
"""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.clock import Clock
from benchmarks.features import bare_server
from sandbox.harness.feature_store.store import feature_store

ROUNDS = 3
_AGAINST = {
    "feast apply": "feast version",
    "feast materialize-incremental": "feast version",
    "server ready": "bare server ready",
    "first read": "bare first read",
    "next read": "bare next read",
}


def measure(folder: Path) -> list[dict[str, object]]:
    """Seconds of each step of a new store, with the step that it is compared with."""
    clock = Clock()
    for number in range(ROUNDS):
        store = feature_store(folder / f"store{number}")
        with store.redis():
            with clock.step("feast version"):
                store.feast("version")
            with clock.step("feast apply"):
                store.feast("apply", "--no-progress")
            with clock.step("feast materialize-incremental"):
                store.materialize()
            with ExitStack() as servers:
                with clock.step("server ready"):
                    ours = servers.enter_context(store.serving())
                with clock.step("bare server ready"):
                    bare = servers.enter_context(bare_server(store))
                for name, server in (("", ours), ("bare ", bare)):
                    for read in ("first read", "next read"):
                        with clock.step(name + read):
                            server.read("kettle-01")
    return list(clock.rows({}, _AGAINST))
