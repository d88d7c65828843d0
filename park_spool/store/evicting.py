"""Making room: blobs go, least recently used first, until a quota and a floor of free space hold again.

    blobs/ab/DIGEST ──rename──▶ tmp/…, at that instant it is gone ──a second look at holds and pins──▶ removed, or back

Guarantees: nothing goes that a hold or a pin keeps, nothing beyond what quota and floor ask for, and nothing at all
where that would not be enough.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from park_spool.errors import TemporaryError
from park_spool.limits import size_words
from park_spool.store import holding
from park_spool.store.entries import Entry, entries, total
from park_spool.store.store import Store

SHARERS = 8  # processes that may fill one store at a time
LOOK_SECONDS = 60.0


def lacking(total: int, needed: int, quota: int | None, free: int, floor: int) -> int:
    """Return how many bytes must go so that `needed` more fit: below the quota, with `floor` bytes still free.

    >>> lacking(total=80, needed=30, quota=100, free=500, floor=0), lacking(80, 30, None, 500, 480)
    (10, 10)
    """
    return max(0, total + needed - quota if quota is not None else 0, floor + needed - free)


def choose(
    found: Iterable[Entry], needed: int, quota: int | None, free: int, floor: int, kept: Collection[str] = ()
) -> list[Entry] | None:
    """Choose what goes so that `needed` bytes fit, least recently used first; None where all that may go is too little.

    All in bytes; `kept` are digests that stay besides those that are held or pinned.
    """
    all_ = list(found)
    short = lacking(sum(entry.size for entry in all_), needed, quota, free, floor)
    chosen: list[Entry] = []
    for entry in sorted(all_, key=lambda entry: (entry.used, entry.digest)):
        if short <= 0:
            break
        if entry.size and not (entry.is_pinned or entry.holders or entry.digest in kept):
            chosen.append(entry)
            short -= entry.size
    return chosen if short <= 0 else None


def free_space(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def make_room(
    store: Store,
    needed: int = 0,
    quota: int | None = None,
    floor: int = 0,
    kept: Collection[str] = (),
    free: Callable[[Path], int] = free_space,
) -> list[Entry]:
    """Evict until `needed` bytes fit; return what went, without its hrefs.

    Raises TemporaryError, and evicts nothing, where they cannot fit.
    """
    with store.told("see how much space is free"):
        left = free(store.root)
    if quota is None and lacking(0, needed, None, left, floor) == 0:
        return []
    if quota is not None and lacking(total(store), needed, quota, left, floor) == 0:
        return []  # the usual case: who holds what need not be read
    found = entries(store, is_named=False)
    chosen = choose(found, needed, quota, left, floor, kept)
    if chosen is None:
        raise TemporaryError(
            f"the store {store.root} has no room for {size_words(needed)}: it has {size_words(left)} free, "
            f"{size_words(floor)} of them to be left alone, and holds {size_words(sum(entry.size for entry in found))}"
            f"{'' if quota is None else f' of at most {size_words(quota)}'}; what may go would not be enough. "
            "Nothing was evicted: end or delete sessions, unpin, or give it more space"
        )
    return evict(store, chosen) if chosen else []


@dataclass
class Slack:
    """Room that a look at all files has found, so that not each new file needs a look.

    The next look is due when an eighth of the room is used, since other processes use it, too, or after a minute.
    """

    clock: Callable[[], float] = time.monotonic
    _left: int = 0
    _until: float = 0.0

    def take(self, needed: int | None) -> bool:
        """Use some bytes of it; False if a look is due, as it is for a file of unknown size."""
        if needed is None or needed > self._left or self.clock() >= self._until:
            return False
        self._left -= needed
        return True

    def find(self, room: int) -> None:
        """Say how many bytes a look has found."""
        self._left, self._until = room // SHARERS, self.clock() + LOOK_SECONDS


def evict(store: Store, chosen: Iterable[Entry]) -> list[Entry]:
    """Remove blobs that nothing keeps; return what went."""
    with store.told("evict files"):
        away = [(entry, grave) for entry in chosen if (grave := _moved(store, entry.digest)) is not None]
        kept = holding.kept(store)  # RACE: a hold that came meanwhile wins
        return [entry for entry, grave in away if _is_gone(store, entry, grave, entry.digest in kept)]


def _moved(store: Store, digest: str) -> Path | None:
    grave = store.disk.temporary()
    # At this instant it is gone. CRASH: it lies in tmp/ then, where sweeping.py finds it, and is fetched again.
    return grave if store.disk.move(store.places.blob(digest), grave) else None


def _is_gone(store: Store, entry: Entry, grave: Path, is_kept: bool) -> bool:
    if is_kept and not store.has(entry.digest):
        return not store.disk.move(grave, store.places.blob(entry.digest))
    store.disk.unlink(grave)
    return not is_kept
