"""Room in the store: made before and after each download, by one thread at a time, within the quota and the floor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass

from park_spool.errors import ParkError, TemporaryError
from park_spool.store import evicting
from park_spool.store.entries import Entry
from park_spool.store.store import Store

from .metrics import Counts
from .problems import Full

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes the store may hold (None: as many as there are), and how many of its disk stay free."""

    quota: int | None
    floor: int


class Room:
    """What a store has room for."""

    def __init__(self, store: Store, bounds: Bounds, counts: Counts) -> None:
        self._store, self._bounds, self._counts = store, bounds, counts
        self._lock = threading.Lock()

    def make(self, needed: int = 0, kept: Collection[str] = ()) -> list[Entry]:
        """Evict until so many bytes fit; return what went. Raises Full if what may go is not enough."""
        with self._lock:
            try:
                gone = evicting.make_room(self._store, needed, self._bounds.quota, self._bounds.floor, kept)
            except TemporaryError as error:
                raise Full(str(error)) from error
        for entry in gone:
            log.info("evicted %s, %d bytes", entry.digest, entry.size)
        self._counts.add("evictions_total", len(gone))
        return gone

    def tidy(self, kept: Collection[str] = ()) -> None:
        """Evict what is too much after a file came in; that there is too much of what may not go is only told."""
        try:
            self.make(0, kept)
        except ParkError as error:
            log.warning("%s", error)

    def fits(self, length: int) -> bool:
        """Say whether the disk can take in so many bytes at all, without a look at what could go."""
        return evicting.free_space(self._store.root) > length
