"""How the data centres are, asked at most every few seconds however many look."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from park_spool.config import Config
from park_spool.showing.centre import CentrePage, centre

HOLD = 5.0  # s


class Centres:
    """May be asked by several threads at once; who comes while another asks is told what was known before."""

    def __init__(self, settings: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._asking = Lock()
        self._known: CentrePage | None = None
        self._asked = float("-inf")

    def look(self) -> CentrePage:
        """Return what is known of them, a few seconds old at most."""
        known = self._known
        if known is not None and (self._clock() - self._asked < HOLD or not self._asking.acquire(blocking=False)):
            return known
        if known is None:
            self._asking.acquire()
        try:
            self._known, self._asked = centre(self._settings), self._clock()
            return self._known
        finally:
            self._asking.release()
