"""A server on loopback that answers with whatever bytes a test wants, also with what no honest server sends."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Play = Callable[[socket.socket], None]
Route = Callable[["Asked"], Play]
_TLS_HANDSHAKE = 0x16
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Asked:
    """A request: its first line's method and path, and everything before the body, with the body after it."""

    method: str
    path: str
    text: str


@dataclass
class Server:
    """Where it answers, and what it was asked."""

    host: str
    asked: list[Asked] = field(default_factory=list)


def answer(body: object, status: str = "200 OK", **headers: str) -> Play:
    """An honest answer; anything but bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n{more}\r\n"
    return lambda connection: connection.sendall(head.encode() + data)


@contextmanager
def hostile(route: Route, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run it; each connection is asked once and gets the bytes of the play that the route returns.

    At the end it breaks every connection, so that neither a play without end nor its client runs on.

    Args:
        route: Which play a request gets.
        context: With it the server uses TLS; without, it answers a TLS handshake as plain servers do.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"127.0.0.1:{listener.getsockname()[1]}")
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError), connection:
            connection.settimeout(20)
            channel = connection if context is None else context.wrap_socket(connection, server_side=True)
            connections.append(channel)
            with channel:
                _serve(channel, route, server)

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield server
    finally:
        # Closing alone wakes neither the accept nor a read.
        for each in (listener, *connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(channel: socket.socket, route: Route, server: Server) -> None:
    text = b""
    while b"\r\n\r\n" not in text:
        part = channel.recv(65536)
        text += part
        if text[:1] == bytes([_TLS_HANDSHAKE]):
            channel.sendall(
                b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n"
            )
            return
        if not part:
            return
    head, _, body = text.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += channel.recv(65536)
    method, path, *_ = head.decode().split(" ")
    asked = Asked(method, path, (head + b"\r\n\r\n" + body).decode())
    server.asked.append(asked)
    route(asked)(channel)


def _forever(start: bytes, part: bytes, pause: float = 0.0) -> Play:
    def play(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(part)
            time.sleep(pause)

    return play


# 256 KiB that unpack to 256 MiB: the parts of a gzip file may follow each other.
_BOMB = gzip.compress(bytes(2**20)) * 256


def _silent(connection: socket.socket) -> None:
    connection.recv(1)


def _cut(connection: socket.socket) -> None:
    connection.sendall(_HEAD + b'Content-Length: 1000\r\n\r\n{"a"')


# Answers that never end, or arrive slower than anybody waits.
ENDLESS: dict[str, Play] = {
    "silence": _silent,
    "a byte now and then": _forever(_HEAD + b"Content-Length: 1000\r\n\r\n", b" ", 0.05),
    "a header's byte now and then": _forever(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.05),
    "headers without end": _forever(b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n"),
    "one header without end": _forever(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536),
    "a status without end": _forever(b"HTTP/1.1 200 ", b"x" * 65536),
    "continue without end": _forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "a body without end": _forever(_HEAD + b"Connection: close\r\n\r\n", b" " * 65536),
    "chunks without end": _forever(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"
    ),
    "a chunk's size without end": _forever(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "trailers without end": _forever(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-More: y\r\n", 0.001
    ),
}

# Answers that end, and that none of the clients can use.
USELESS: dict[str, Play] = {
    "nothing": lambda _: None,
    "cut off": _cut,
    "not HTTP": lambda connection: connection.sendall(b"\x00\xff\x00\xff\r\n\r\n"),
    "gzip that was not asked for": answer(_BOMB, Content_Encoding="gzip"),
    "gzip in gzip": answer(gzip.compress(_BOMB), Content_Encoding="gzip, gzip"),
    "no text": answer(b""),
    "not JSON": answer(b"<html>sign in</html>"),
    "null": answer(None),
    "a text": answer("text"),
    "a number": answer(7),
    "not UTF-8": answer(b'{"a": "\xff\xfe"}'),
    "deep lists": answer(b"[" * 100_000),
    "deep objects": answer(b'{"a":' * 100_000),
    "a long number": answer(b"9" * 100_000),
    "a great exponent": answer(b"1e999999999999"),
    "a status that is not one": answer({}, "999 Odd"),
    "a fault with HTML": answer(b"<h1>fault</h1>", "500 Internal Server Error"),
    "a redirect to itself": answer(b"", "302 Found", Location="?"),
    "a redirect to nowhere": answer(b"", "307 Temporary Redirect", Location="http://[::1"),
    "a redirect that leaves TLS": answer(b"", "301 Moved Permanently", Location="http://mlflow.example.com/"),
    "two lengths": lambda connection: connection.sendall(_HEAD + b"Content-Length: 2, 3\r\n\r\n{}"),
    "a length below zero": lambda connection: connection.sendall(_HEAD + b"Content-Length: -1\r\n\r\n"),
}

_ODD: tuple[object, ...] = (
    None, True, -1, 10**30, 1.5, "", "abc", "\ud800", "NaN", "../../x", [], [[]], [None], {}, {"a": {}},
)  # fmt: skip


def mutated(good: object) -> Iterator[object]:
    """The honest answer, with each of its parts replaced by each kind of value that does not belong there."""
    yield from _ODD
    if isinstance(good, dict):
        for key, value in good.items():
            yield {other: each for other, each in good.items() if other != key}
            yield from ({**good, key: odd} for odd in mutated(value))
    elif isinstance(good, list):
        for index, value in enumerate(good):
            yield from ([*good[:index], odd, *good[index + 1 :]] for odd in mutated(value))
