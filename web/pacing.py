"""How long open pages rest between two looks: told to them with every answer, so that however many are open, they leave
the computer to others.

What the process spends of one CPU is looked at every second. Above a share the charts rest longer, up to a quarter of a
minute, and below it less again; the parts, which are small, always come within a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

HEADER = "X-Park-Rest"
LEAST, MOST = 1.5, 15.0  # s between looks of the charts
SHARE = 0.07  # of one CPU
SLOWER, QUICKER = 1.6, 0.95
EVERY = 1.0  # s


class Pace:
    """May be asked by several threads at once. `used` gives the seconds of CPU that this process has had."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._used, self._lock = clock, used, Lock()
        self._since, self._before = clock(), used()
        self._rest = LEAST

    def __call__(self) -> str:
        """Return for how many milliseconds charts should rest."""
        now = self._clock()
        if now - self._since >= EVERY:
            self._look(now)
        return f"{self._rest * 1000:.0f}"

    def _look(self, now: float) -> None:
        with self._lock:
            passed, used = now - self._since, self._used()
            if passed < EVERY:
                return  # another has looked
            share, self._since, self._before = (used - self._before) / passed, now, used
            factor = SLOWER if share > SHARE else QUICKER
            self._rest = min(MOST, max(LEAST, self._rest * factor))
