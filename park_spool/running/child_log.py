"""What a slot's children print: one bounded file, whose end goes into the results of jobs that fail."""

from __future__ import annotations

import os
from pathlib import Path

from park_spool.running.assignment import TAIL, tail_of

_MAX = 16 * 1024 * 1024
_MOST_READ = 65536


class ChildLog:
    """The file that standard output and error of a slot's children go to; everyone appends."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a+b", buffering=0)

    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def printed_since(self, mark: int) -> str:
        """Return the end of what was printed since the file had the size `mark`."""
        size = self.size()
        start = max(mark if mark <= size else 0, size - 2 * TAIL)  # it may have been trimmed since
        return tail_of(os.pread(self.file.fileno(), size - start, start))

    def read_from(self, mark: int) -> tuple[bytes, int]:
        """Return what was printed since the file had the size `mark`, its end if it is much, and the size now."""
        size = self.size()
        start = max(mark if mark <= size else 0, size - _MOST_READ)  # it may have been trimmed since
        return os.pread(self.file.fileno(), size - start, start), size

    def trim(self) -> None:
        """Keep the end of a file that has grown too long; who appends goes on at its new end."""
        size = self.size()
        if size > _MAX:
            last = os.pread(self.file.fileno(), TAIL, size - TAIL)
            os.ftruncate(self.file.fileno(), 0)
            os.write(self.file.fileno(), last)

    def close(self) -> None:
        self.file.close()
