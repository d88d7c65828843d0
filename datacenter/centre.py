"""What the data centre does: find the version of a file that is asked for, and bring it if it is not here.

    ?digest=        that version, if it is here, or if the source has it now
    X-Park-Session  the version that the session holds: from its first request on, the one that it got then
    else            the newest; the source is asked at most every `fresh` seconds whether it still is

RACE: a blob may be evicted between a look and its opening: `Busy` then, and the next request brings it again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.errors import NotFound, TemporaryError
from park_spool.progress import utc
from park_spool.sources import paths
from park_spool.sources.paths import PUT
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import Source
from park_spool.store import holding
from park_spool.store.entries import entries
from park_spool.store.store import Store
from park_spool.store.versions import Version

from .catalogue import shown
from .downloads import Downloads
from .metrics import Sample
from .once import Busy, Once, Seats
from .problems import NotForUser, Unreachable, is_full

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A version of a file, and whether the source could be asked about it."""

    version: Version
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A source as it is set up and as it is asked."""

    settings: SourceSettings
    source: Source


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files the store has, how many of them must stay, and how many bytes they are."""

    files: int = 0
    held: int = 0
    size: int = 0


class Centre:
    """One store, the sources that fill it, and who waits for what. Safe in all threads."""

    def __init__(
        self,
        store: Store,
        places: Mapping[str, Place],
        downloads: Downloads,
        fresh: float,
        patience: float,
        seats: int,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store, self.places, self.downloads = store, places, downloads
        self._fresh, self._patience, self._clock = fresh, patience, clock
        self.seats = Seats(seats)
        self.updates: Once[Version] = Once(most, self.seats)
        # Apart from the downloads, which may take hours: what is here is served while others are brought.
        self.questions: Once[Found | None] = Once(seats, self.seats)
        self.listings: Once[list[str]] = Once(seats, self.seats)
        self.tally = Tally()
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[float, Found]] = {}

    # questions

    def find(self, name: str, path: str, user: str | None, sid: str | None, digest: str | None) -> Found:
        """Return the version that is asked for; its blob is in the store.

        Raises DataError, NotFound, NotForUser, Busy, Unreachable, Full, Refused, NotThere.
        """
        href = self._href(name, path, user)
        held = None if sid is None else holding.held(self.store, sid, href)
        wanted = digest or held
        found = self._newest(name, path, href) if wanted is None else self._stated(name, path, href, wanted)
        if sid is None or held is not None:
            return found
        first = holding.hold(self.store, sid, found.version)  # RACE: another request of the session may be the first
        is_right = digest is not None or first == found.version.digest
        return found if is_right else self._stated(name, path, href, first)

    def names(self, name: str, pattern: str, user: str | None) -> list[str]:
        """Return the paths of a source that match a pattern, sorted."""
        place = self._place(name, user)
        clean = paths.clean_pattern(pattern)
        return self.listings.get(f"{name}:{clean}", lambda: self._listed(place.source, clean), self._patience)

    def blob(self, digest: str) -> Path:
        """Return the path of a blob. Raises NotFound."""
        path = self.store.blob(digest)
        if path is None:
            raise NotFound(f"there is no file {digest} here (any more); ask for it by its source")
        return path

    def path(self, version: Version) -> Path:
        """Return the path of a version's blob. Raises Busy if it was evicted a moment ago."""
        path = self.store.blob(version.digest)
        if path is None:
            raise Busy(f"{version.href} was evicted at this moment; ask again, and it is brought again")
        return path

    def catalogue(self, user: str | None, beginning: str) -> list[dict[str, Any]]:
        """Return the files of the store whose hrefs begin so, as far as a user may see them."""
        return shown(entries(self.store), beginning, lambda href: self._may_see(href, user))

    # what is sent

    def put(self, name: str, stream: Iterable[bytes], length: int | None, digest: str | None) -> Version:
        """Take in what is sent as the newest version of put:/NAME."""
        return self.downloads.take_in(f"{PUT}:{paths.clean(f'/{name}')}", stream, length, digest)

    def put_blob(self, stream: Iterable[bytes], length: int | None, digest: str) -> bool:
        """Take in what is sent as a blob; False if it is here already."""
        return self.downloads.take_in_blob(stream, length, digest)

    # upkeep

    def forget_old(self) -> None:
        """Forget when sources were asked about files, where that was too long ago to matter."""
        now = self._clock()
        with self._lock:
            self._asked = {href: asked for href, asked in self._asked.items() if now - asked[0] < self._fresh}

    def samples(self) -> list[Sample]:
        """Return what /metrics tells."""
        here = [
            Sample("downloads", "Files that are being brought.", self.updates.count()),
            Sample("files", "Files in the store, as of the last minute.", self.tally.files),
            Sample("held_files", "Files that open sessions hold or that are pinned.", self.tally.held),
            Sample("stored_bytes", "Bytes of the files in the store.", self.tally.size),
            Sample("waiting", "Requests that wait for a source.", self.seats.taken),
        ]
        return [*self.downloads.counts.samples(), *here]

    def close(self) -> None:
        """Let those who wait go."""
        self.updates.close()
        self.questions.close()
        self.listings.close()

    # in parts

    def _place(self, name: str, user: str | None) -> Place:
        place = self.places.get(name)
        if place is None:
            raise NotFound(f"no source is called {name[:80]!r} here: it stands in park.toml as [sources.NAME]")
        if place.settings.users and user not in place.settings.users:
            raise NotForUser(f"the source {name} is not for {user or 'a request without X-Park-User'}")
        return place

    def _may_see(self, href: str, user: str | None) -> bool:
        name = href.partition(":")[0]
        if name not in self.places:
            return name == PUT  # of a source that was set up once, nobody can tell any more whose it is
        users = self.places[name].settings.users
        return not users or user in users

    def _href(self, name: str, path: str, user: str | None) -> str:
        if name != PUT:
            self._place(name, user)
        return f"{name}:{paths.clean(path)}"

    def _newest(self, name: str, path: str, href: str) -> Found:
        is_coming = self.updates.has(href)  # RACE: looked at first: it is in the store before it is known to be fresh
        if name == PUT:
            known = self.store.newest(href)
            if known is None:
                raise NotFound(f"nothing was sent here as {href}, or it is gone")
            return Found(known)
        if (found := self._found_lately(href)) is not None:
            return found
        source, known = self.places[name].source, self.store.newest(href)
        if known is not None and not is_coming:
            same = self.questions.get(href, lambda: self._unless_changed(source, path, known), self._patience)
            if same is not None:
                return same
        return Found(self.updates.get(href, lambda: self._update(source, path, href), self._patience))

    def _stated(self, name: str, path: str, href: str, digest: str) -> Found:
        """Return a certain version: one that is here, or the source's if that is it."""
        if (found := self._kept(href, digest)) is not None:
            return Found(found)
        if name != PUT:
            fetched = self._newest(name, path, href)
            if fetched.version.digest == digest:
                return fetched
        raise NotFound(f"the version {digest} of {href} is not here (any more), and the source has another one")

    def _kept(self, href: str, digest: str) -> Version | None:
        if not self.store.has(digest):
            return None
        found = [version for version in self.store.versions(href) if version.digest == digest]
        return found[-1] if found else None

    def _found_lately(self, href: str) -> Found | None:
        """Return what was found when the source was asked about a file; None if that is too long ago, or evicted."""
        with self._lock:
            when, found = self._asked.get(href, (0.0, None))
        is_fresh = found is not None and self._clock() - when < self._fresh
        return found if is_fresh and found is not None and self.store.has(found.version.digest) else None

    def _unless_changed(self, source: Source, path: str, known: Version) -> Found | None:
        """Ask the source whether it still has a version; None if not. If it is silent, what is here counts."""
        try:
            if known.facts.is_same(self.downloads.facts(source, path)) is not True:
                return None
            is_checked = True
        except TemporaryError as error:
            log.warning("%s; the version of %s is given out", error, utc(known.fetched))
            is_checked = False
        return self._note(Found(known, is_checked))

    def _update(self, source: Source, path: str, href: str) -> Version:
        """Bring the newest version of a file."""
        if (found := self._found_lately(href)) is not None:
            return found.version  # the one before has brought it just now
        return self._note(Found(self._bring(source, path, href))).version

    def _note(self, found: Found) -> Found:
        with self._lock:
            self._asked[found.version.href] = self._clock(), found
        return found

    def _bring(self, source: Source, path: str, href: str) -> Version:
        tries = self.places[source.name].settings.tries
        try:
            return self.downloads.bring(source, path, href, tries)
        except TemporaryError as error:
            if is_full(error) or isinstance(error, Busy):
                raise
            raise Unreachable(str(error)) from error

    def _listed(self, source: Source, pattern: str) -> list[str]:
        try:
            return source.names(pattern)
        except TemporaryError as error:
            raise Unreachable(str(error)) from error
