"""Forwards connections from sockets of another network namespace: the process that holds the world.

`python -m sandbox.nodes.forwarder MARK FD=HOST:PORT...`: each file descriptor is a socket that listens outside, which
stays outside when the process enters the world. It needs only the standard library.
"""

import asyncio
import contextlib
import socket
import sys
from functools import partial

_CHUNK = 1 << 16
_BACKLOG = 512


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    # The other direction may still have something to say.
    if writer.can_write_eof():
        writer.write_eof()


async def _forward(host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        inner_reader, inner_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    both = [
        asyncio.ensure_future(_copy(reader, inner_writer)),
        asyncio.ensure_future(_copy(inner_reader, writer)),
    ]
    done, left = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
    for task in left:
        task.cancel()
    for task in done:
        with contextlib.suppress(OSError):
            task.result()
    for end in (inner_writer, writer):
        end.close()


async def _serve(forwards: list[str]) -> None:
    servers = []
    for forward in forwards:
        number, _, target = forward.partition("=")
        host, _, port = target.rpartition(":")
        listening = socket.socket(fileno=int(number))
        servers.append(
            await asyncio.start_server(partial(_forward, host, int(port)), sock=listening, backlog=_BACKLOG)
        )
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[2:]))
