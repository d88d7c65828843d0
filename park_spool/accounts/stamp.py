"""A number that changes when any right may have changed: so cheap that it can be asked for with every request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from park_spool.errors import TemporaryError

from .database import connect, in_words

_ENDS = """
SELECT min(expires) FROM (SELECT expires FROM logins UNION ALL SELECT expires FROM tokens) WHERE expires > ?"""


class Stamp:
    """Looks at SQLite's own count of changes, which is in memory, and into the file only when that moved.

    Its connection never writes, for a connection does not see its own changes in that count.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock, self._lock = path, clock, Lock()
        self._connection = connect(path)
        self._seen: int | None = None
        self._rights, self._ends, self._number = 0, float("inf"), 0

    def __call__(self) -> int:
        with self._lock:
            try:
                with in_words(self._path):
                    self._look(self._clock())
            except TemporaryError:
                self._number += 1  # nobody knows: whoever keeps answers asks for them anew, and is told why
            return self._number

    def _look(self, now: float) -> None:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._seen and now < self._ends:
            return
        (rights,) = self._connection.execute("SELECT number FROM rights").fetchone()
        (ends,) = self._connection.execute(_ENDS, (now,)).fetchone()
        if rights != self._rights or now >= self._ends:
            self._number += 1
        self._seen, self._rights, self._ends = version, rights, float("inf") if ends is None else ends

    def close(self) -> None:
        with self._lock:
            self._connection.close()
