"""What is looked after every minute: holds of sessions that are over, leftovers, room, and the numbers for /metrics.

A session is over when its folder is no longer open on the spool.  NFS: a listing may be late, so it must be missing
at two looks, a minute apart, before its hold is released.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from park_spool.store import holding
from park_spool.store.entries import entries
from park_spool.store.sweeping import sweep

from .centre import Centre, Tally

log = logging.getLogger(__name__)

SECONDS = 60.0


class Keeper:
    """Looks after one centre; `open_sessions` says which sessions are open now."""

    def __init__(self, centre: Centre, open_sessions: Callable[[], set[str]]) -> None:
        self._centre, self._open_sessions = centre, open_sessions
        self._missing: set[str] = set()

    def step(self) -> bool:
        """Look once; there is never more to do at once."""
        self._release()
        self._centre.forget_old()
        sweep(self._centre.store)
        self._centre.downloads.room.tidy()
        found = entries(self._centre.store, is_named=False)
        held = sum(1 for entry in found if entry.holders or entry.is_pinned)
        self._centre.tally = Tally(len(found), held, sum(entry.size for entry in found))
        return False

    def _release(self) -> None:
        missing = set(holding.holders(self._centre.store)) - self._open_sessions()
        for sid in sorted(missing & self._missing):
            holding.release(self._centre.store, sid)
            log.info("%s is over, and holds nothing any more", sid)
        self._missing = missing


def open_sessions(sessions: Path) -> set[str]:
    """Return the names in the spool's folder of open sessions."""
    return {path.name for path in sessions.iterdir()}
