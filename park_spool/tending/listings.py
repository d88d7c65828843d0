"""Which files patterns stand for, asked in threads of their own: whoever tends the spool never waits for a remote.

    has() ─not asked yet, or its pause is over─► a thread ─asks─► answered: has() is true, names() tells
                                                         └─TemporaryError─► a pause, then has() has it asked again

Guarantees: one thread for one pattern and user, at most MOST_AT_ONCE in all; they end with the process. An answer
counts for KEEP_SECONDS, and is gone as soon as nobody wants it: a session never gets a list that is older than that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from park_spool.errors import PermanentError, TemporaryError

log = logging.getLogger(__name__)

Ask = Callable[[str, str], Sequence[str]]  # (href, user) → the paths in its source; may take its time
Key = tuple[str, str]

KEEP_SECONDS = 120.0
MOST_AT_ONCE = 16
MOST_PATTERNS = 500
MAX_PAUSE = 60.0


class Unanswered(TemporaryError):
    """It is not known, or no longer, which files a pattern stands for."""


def nobody(href: str, user: str) -> Sequence[str]:
    """Know no source: what asks where no daemon has set up anything."""
    raise PermanentError(f"nobody can be asked here which files {href} stands for")


def in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True, name="park-spool listing").start()


def pause(failures: int) -> float:
    """Return how long to wait after so many failures in a row, in seconds.

    >>> [pause(count) for count in (1, 2, 3, 20)]
    [1.0, 2.0, 4.0, 60.0]
    """
    return float(min(MAX_PAUSE, 2 ** (min(failures, 20) - 1)))


@dataclass(slots=True)
class _Listing:
    """What is known of one pattern; `due` is when it is to be asked (again)."""

    due: float
    is_asked: bool = False
    failures: int = 0
    answer: Sequence[str] | PermanentError | None = None


class Listings:
    """What was asked for one spoold; `ring` wakes it from any thread, `start` runs a piece of work beside it."""

    def __init__(
        self,
        ask: Ask,
        monotonic: Callable[[], float],
        ring: Callable[[], None] = lambda: None,
        start: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._ask, self._monotonic, self._ring, self._start = ask, monotonic, ring, start
        self._lock = threading.Lock()
        self._listings: dict[Key, _Listing] = {}
        self._busy = 0

    def has(self, href: str, user: str) -> bool:
        """Say whether it is known what a pattern stands for, or that it cannot be; else have it asked."""
        key = (href, user)
        with self._lock:
            listing = self._current(key)
            if listing is None or listing.answer is not None:
                return listing is not None
            if listing.is_asked or self._monotonic() < listing.due or self._busy >= MOST_AT_ONCE:
                return False
            listing.is_asked = True
            self._busy += 1
        try:
            self._start(lambda: self._find_out(key, listing))
        except RuntimeError as error:  # no thread can be had now
            self._land(listing, Unanswered(f"{href} cannot be asked for: {error}"), href)
        return listing.answer is not None

    def names(self, href: str, user: str) -> Sequence[str]:
        """Return what a pattern stands for. Raises what was answered instead of it, Unanswered without an answer."""
        with self._lock:
            listing = self._listings.get((href, user))
            answer = None if listing is None else listing.answer
        if isinstance(answer, PermanentError):
            raise answer
        if answer is None:
            raise Unanswered(f"it is not known which files {href} stands for")
        return answer

    def keep(self, wanted: Collection[Key]) -> None:
        """Forget what nobody wants."""
        with self._lock:
            self._listings = {key: listing for key, listing in self._listings.items() if key in wanted}

    def _current(self, key: Key) -> _Listing | None:
        """Return what is known of a pattern and not too old; None if there is no room for one more."""
        now = self._monotonic()
        listing = self._listings.get(key)
        if listing is not None and listing.answer is not None and now >= listing.due:
            listing = self._listings[key] = _Listing(now)
        if listing is None and len(self._listings) < MOST_PATTERNS:
            listing = self._listings[key] = _Listing(now)
        return listing

    def _find_out(self, key: Key, listing: _Listing) -> None:
        """Run in a thread: ask, and let the result land whatever becomes of it."""
        href = key[0]
        answer: Sequence[str] | PermanentError | TemporaryError | OSError
        try:
            answer = tuple(self._ask(*key))
        except (PermanentError, TemporaryError, OSError) as error:
            answer = error
        except Exception as error:
            log.exception("asking for %s failed by a mistake of park-spool; it is asked again", href)
            answer = Unanswered(f"{href}: {type(error).__name__}: {error}")
        self._land(listing, answer, href)
        self._ring()

    def _land(
        self, listing: _Listing, answer: Sequence[str] | PermanentError | TemporaryError | OSError, href: str
    ) -> None:
        with self._lock:
            self._busy -= 1
            listing.is_asked = False
            if not isinstance(answer, TemporaryError | OSError):
                listing.answer, listing.due = answer, self._monotonic() + KEEP_SECONDS
                return
            listing.failures += 1
            wait = pause(listing.failures)
            listing.due = self._monotonic() + wait
        log.warning("%s: %s; it is asked for again in %g s", href, answer, wait)
