"""A channel of waitress that sends files by os.sendfile: what is served goes from the disk's cache to the socket.

    task thread    write_soon(file)    the file's buffer gives spans from now on, no bytes
    main thread    _flush_some()       get → Span → os.sendfile; skip(sent), as with bytes

All accounting stays waitress's own, which counts what `send` returns.  However slow a reader is, it costs a socket
and an open file, and no thread: a request that came right behind another (pipelined) would make a thread wait for
the first to be read, so the connection is closed after the first; RFC 9112, 9.3.2 allows that.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from waitress.buffers import ReadOnlyFileBasedBuffer  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

from .problems import FULL, Rejection

SPAN = 1 << 18  # of 128 kB to 4 MiB this was quickest: larger ones let the reader wait
SMALL = 1 << 16  # bytes of a file that is read, and sent with its head: sendfile pays for larger ones
TURN = 16 << 20  # bytes to one reader before the others have their turn
_GONE = frozenset(
    {errno.ECONNRESET, errno.ENOTCONN, errno.ESHUTDOWN, errno.ECONNABORTED, errno.EPIPE, errno.EBADF, errno.ETIMEDOUT}
)

# Given the headers (names as in `CONTENT_LENGTH`) and the length of a body that is about to come (None: not told):
# what is answered instead of reading it; None to read it.
Gate = Callable[[Mapping[str, str], int | None], Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of an open file, at most SPAN bytes."""

    file: int
    position: int
    count: int


def span(buffer: Any, count: int = -1, skip: bool = False) -> Span:
    """Return the next piece of a file's buffer. It stands for the buffer's `get`, whose `count` is a socket's fill."""
    return Span(buffer.file.fileno(), buffer.file.tell(), min(SPAN, buffer.remain))


class OneRequest(WSGITask):  # type: ignore[misc]
    """A request after which the connection is closed if others came in behind it already."""

    def start(self) -> None:
        super().start()
        if len(self.channel.requests) > 1:
            self.set_close_on_finish()

    def write(self, data: bytes) -> None:
        """Let the head and a small body go out at once: a system call and a wake of the reader cost more than both."""
        if self.wrote_header or len(data) > SMALL:
            super().write(data)
            return
        with self.channel.joined():
            super().write(data)


class GatedParser(HTTPRequestParser):  # type: ignore[misc]
    """A parser that asks whether a body may come before it reads one byte of it; a full disk ends the body."""

    def __init__(self, gate: Gate, adj: Any) -> None:
        super().__init__(adj)
        self._gate, self._is_asked = gate, False

    def received(self, data: bytes) -> int:
        try:
            used: int = super().received(data)
        except OSError as error:  # a long body waits in a file
            if error.errno not in FULL:
                raise
            self.error, self.completed, used = (
                Rejection(f"the body cannot be kept: {error.strerror}", 507),
                True,
                len(data),
            )
        if self.headers_finished and not self._is_asked:
            self._is_asked = True
            if self.body_rcv is not None and not self.completed:
                self._ask()
        return used

    def _ask(self) -> None:
        self.error = self._gate(self.headers, None if self.chunked else self.content_length)
        if self.error is not None:
            self.completed, self.expect_continue = True, False


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection: files leave it by os.sendfile, everything else as waitress does it."""

    task_class = OneRequest

    def __init__(self, gate: Gate, *arguments: Any, **named: Any) -> None:
        self.parser_class = partial(GatedParser, gate)
        self._in_turn = 0
        self._held: list[bytes] | None = None
        super().__init__(*arguments, **named)

    def write_soon(self, data: Any) -> int:
        """Take a response's bytes, or the file that is its body."""
        if isinstance(data, ReadOnlyFileBasedBuffer) and _is_file(data.file):
            data.get = partial(span, data)
        elif self._held is not None:
            self._held.append(data)
            return len(data)
        written: int = super().write_soon(data)
        return written

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Let the bytes that are written in here go out as one piece. One thread at a time answers a connection."""
        held = self._held = []
        try:
            yield
        finally:
            self._held = None
        self.write_soon(b"".join(held))

    def send(self, data: Any, do_close: bool = True) -> int:
        """Send bytes or a span; return how many went out, 0 if none can now. Errors as in waitress's own `send`."""
        if isinstance(data, Span):
            return self._send_span(data, do_close)
        sent: int = super().send(data, do_close)
        return sent

    def _send_span(self, piece: Span, do_close: bool) -> int:
        if self._in_turn >= TURN:
            self._in_turn = 0
            return 0  # poll() says at once that more can be sent, and has looked at the others before
        try:
            sent = os.sendfile(self.socket.fileno(), piece.file, piece.position, piece.count)
        except BlockingIOError:
            self._in_turn = 0
            return 0
        except OSError as error:
            if error.errno not in _GONE:
                raise
            if do_close:
                self.handle_close()
            return 0
        if sent == 0:  # else this would be tried for ever
            raise OSError(errno.EIO, "a file that is being served has become shorter")
        self._in_turn += sent
        return sent


def _is_file(file: Any) -> bool:
    """Say whether something that is read from is a file of the system's."""
    try:
        file.fileno()
    except (AttributeError, OSError):
        return False
    return True
