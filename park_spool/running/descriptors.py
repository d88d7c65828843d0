"""The descriptors of a worker, kept where a careless function does not hit them.

Functions close "all" descriptors, close 1 and 2, or open files that then get their numbers.  So the ends of
the node's pipes and files are moved to high numbers, above the limit that such loops count up to, and
standard output and error are put back before each assignment.
Guarantees: no program that a job starts inherits any of them but 0, 1 and 2.
"""

from __future__ import annotations

import fcntl
import io
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from park_spool.running.assignment import TAIL, tail_of

_HIGH = 5000
_ROOM = 16


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The worker's ends: commands come in; messages, results and the log go out."""

    commands: int
    messages: int
    results: int
    log: int

    @classmethod
    def take(cls, commands: int, messages: int, results: int) -> Descriptors:
        """Move the inherited descriptors out of reach; the log is what standard error is at the start."""
        high = cls(*out_of_reach(commands, messages, results, 2))
        for end in (commands, messages, results):
            os.close(end)
        return high

    def restore_output(self) -> tuple[TextIO, TextIO]:
        """Put standard output and error back, as descriptors and as Python's files; return the latter."""
        for number in (1, 2):
            os.dup2(self.log, number)
        sys.stdout, sys.stderr = _line_writer(1), _line_writer(2)
        return sys.stdout, sys.stderr

    def has_lost_output(self, streams: tuple[TextIO, TextIO]) -> bool:
        """Say whether a function has closed or replaced the files that `restore_output` gave."""
        return sys.stdout is not streams[0] or sys.stderr is not streams[1] or any(s.closed for s in streams)

    def log_size(self) -> int:
        return os.lseek(self.log, 0, os.SEEK_END)

    def printed_since(self, mark: int) -> str:
        """Return the end of what was printed since the log had the size `mark`."""
        size = self.log_size()
        start = mark if mark <= size else 0  # the node cuts a log that has grown too long
        return tail_of(os.pread(self.log, size - start, start) if size - start <= TAIL else self._last(size))

    def _last(self, size: int) -> bytes:
        return os.pread(self.log, TAIL, max(0, size - TAIL))


def out_of_reach(*descriptors: int) -> list[int]:
    """Return copies with numbers above the limit that careless loops count up to; OSError where there are none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = hard if hard != resource.RLIM_INFINITY else _HIGH + _ROOM
    lowest = max(64, min(ceiling, _HIGH + _ROOM) - _ROOM)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, lowest + _ROOM), hard))
    try:
        return [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, lowest) for one in descriptors]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _line_writer(number: int) -> TextIO:
    # closefd: a function may close the file, but not the descriptor under it.
    raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)


def read_lines(descriptor: int) -> Iterator[bytes]:
    """Yield the lines that come through a pipe, until its other end is closed."""
    pending = b""
    while chunk := os.read(descriptor, 65536):
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines
