"""What makes a gRPC service a Pulumi plugin: announce a port, serve, and end with the CLI."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

# Pulumi's own limit; single messages contain a large stack's state.
MESSAGE_BYTES = 400 * 1024 * 1024
PARENT_POLL_SECONDS = 0.5


def serve(register: Callable[[grpc.Server], None], *, threads: int, stop: Callable[[], None]) -> None:
    """Serve on a free loopback port until SIGINT, SIGTERM, or the end of the parent process.

    Args:
        register: Adds the services to the server.
        threads: How many calls run at once.
        stop: Called once before the process ends.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers=threads),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
        ],
    )
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    threading.Thread(target=_watch_parent, args=(os.getppid(), done), daemon=True).start()
    print(port, flush=True)
    done.wait()
    stop()
    server.stop(grace=1)
    # Calls that still run must not keep the process.
    os._exit(0)


def _watch_parent(parent: int, done: threading.Event) -> None:
    """End with the CLI: a killed one cannot stop its plugins."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    done.set()
