"""The stamps of what is shown, worked out a few times a second however many ask.

What the archive says is followed at once; what stands on the spool alone (heartbeats change all the time) once a
second, but at once where somebody has just changed something through this page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.showing.stamp import Stamps, stamps

HOLD = 0.2  # s between looks
SPOOL_HOLD = 1.0  # s between two stamps of which only the spool's has changed


class Stamp:
    """May be asked by several threads at once."""

    def __init__(self, settings: Config, disk: Disk, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._disk, self._clock = settings, disk, clock
        self._lock = Lock()
        self._stamps = Stamps("", "")
        self._looked = self._changed = float("-inf")

    def __call__(self) -> Stamps:
        with self._lock:
            now = self._clock()
            if now - self._looked >= HOLD:
                self._looked = now
                self._take(stamps(self._settings, self._disk), now)
            return self._stamps

    def now(self) -> Stamps:
        """Look at once, for who must not be shown what was; for the others as always."""
        with self._lock:
            self._looked = self._changed = self._clock()
            self._stamps = stamps(self._settings, self._disk)
            return self._stamps

    def _take(self, found: Stamps, now: float) -> None:
        if found.archive != self._stamps.archive or now - self._changed >= SPOOL_HOLD:
            self._stamps, self._changed = found, now

    def forget(self) -> None:
        """Look anew at the next question: something was just changed here."""
        with self._lock:
            self._looked = self._changed = float("-inf")
