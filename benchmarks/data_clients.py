"""Clients: a socket that costs as little as there can be, and who else keeps files of the web on a disk.

Connection    one kept connection; bodies are dropped by the kernel and never copied, so that the server bounds
pooch         a registry of names and SHA-256; a file that is there is hashed again each time
filecache     fsspec's cache of whole files; it knows no digests
"""

from __future__ import annotations

import hashlib
import logging
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

HOST = "127.0.0.1"
PIECE = 1 << 20
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
# Brings files by their names into a cache, one after the other: given the cache's folder.
Bring = Callable[[Path], None]


class Connection:
    """A kept HTTP connection to a port of this machine."""

    def __init__(self, port: int, *headers: str) -> None:
        self._socket = socket.create_connection((HOST, port), 120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = "\r\n".join(("HTTP/1.1", f"Host: {HOST}:{port}", *headers, "", "")).encode()
        self._buffer = bytearray(PIECE)

    def ask(self, path: str) -> None:
        self._socket.sendall(b"GET " + path.encode() + b" " + self._headers)

    def answer(self) -> int:
        """Read an answer; return the length of its body. Raises OSError unless it is a whole file."""
        head = b""
        while (end := head.find(b"\r\n\r\n")) < 0:
            data = self._socket.recv(65536)
            if not data:
                raise OSError("the connection was cut")
            head += data
        found = _LENGTH.search(head, 0, end + 2)
        if not head.startswith(b"HTTP/1.1 200") or found is None:
            raise OSError(f"expected a file, got {head[:200]!r}")
        length = int(found[1])
        self._drop(length - (len(head) - end - 4))
        return length

    def get(self, path: str) -> int:
        self.ask(path)
        return self.answer()

    def close(self) -> None:
        self._socket.close()

    def _drop(self, left: int) -> None:
        while left:
            got = self._socket.recv_into(self._buffer, min(left, PIECE), socket.MSG_TRUNC)
            if not got:
                raise OSError(f"the connection was cut {left} bytes before the end")
            left -= got


def in_turn(connections: Sequence[Connection], paths: Iterable[str]) -> int:
    """Ask for all, each connection for one at a time; return how many bytes came."""
    asked: list[Connection] = []
    total = 0
    for number, path in enumerate(paths):
        connection = connections[number % len(connections)]
        if len(asked) == len(connections):
            total += asked.pop(0).answer()
        connection.ask(path)
        asked.append(connection)
    return total + sum(connection.answer() for connection in asked)


def pooch(url: str, files: dict[str, str]) -> Bring:
    """Let pooch bring files of these SHA-256."""
    import pooch as library

    library.get_logger().setLevel(logging.ERROR)

    def bring(cache: Path) -> None:
        keeper = library.create(cache, url, registry={name: f"sha256:{digest}" for name, digest in files.items()})
        for name in files:
            keeper.fetch(name)

    return bring


def filecache(url: str, names: Iterable[str]) -> Bring:
    import fsspec

    def bring(cache: Path) -> None:
        keeper = fsspec.filesystem(
            "filecache", target_protocol="http", cache_storage=str(cache), skip_instance_cache=True
        )
        for name in names:
            keeper.open(f"{url}{name}").close()

    return bring


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
