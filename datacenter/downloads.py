"""Files on their way into the store: from a source by fetching.py, or from a request's body."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from park_spool.errors import DataError, ParkError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.source import Source
from park_spool.store.facts import Facts
from park_spool.store.partial import Partial
from park_spool.store.store import Store
from park_spool.store.versions import Version

from .metrics import Counts
from .problems import Full, is_full
from .room import Room

log = logging.getLogger(__name__)


class RoomyPartial:
    """A partial file for which room is made as soon as its size is known."""

    def __init__(self, partial: Partial, room: Room) -> None:
        self._partial, self._room = partial, room

    @property
    def size(self) -> int:
        return self._partial.size

    @property
    def facts(self) -> Facts | None:
        return self._partial.facts

    def restart(self, facts: Facts) -> None:
        self._room.make(facts.size or 0)
        self._partial.restart(facts)

    def write(self, data: bytes) -> None:
        self._partial.write(data)

    def lacking(self) -> int:
        """Return how many bytes have not come yet, at least one."""
        size = self._partial.facts.size if self._partial.facts is not None else None
        return max(1, (size or 0) - self._partial.size)


class Downloads:
    """What brings files into one store, and makes room for them."""

    def __init__(self, store: Store, room: Room, counts: Counts, pause: Callable[[float], None] = time.sleep) -> None:
        self._store, self.room, self.counts, self._pause = store, room, counts, pause

    def facts(self, source: Source, path: str) -> Facts:
        """Ask a source which version of a file it has."""
        self.counts.add("questions_total", source=source.name)
        return source.facts(path)

    def bring(self, source: Source, path: str, href: str, tries: int) -> Version:
        """Bring a file from its source; room is made for it before, and once more where the disk is full after all."""
        try:
            version = self._brought(source, path, href, tries)
        except ParkError:
            self.counts.add("failed_downloads_total", source=source.name)
            raise
        log.info("%s: %d bytes, %s", href, version.size, version.digest)
        self.counts.add("downloads_total", source=source.name)
        self.counts.add("downloaded_bytes_total", version.size, source=source.name)
        self.room.tidy({version.digest})
        return version

    def _brought(self, source: Source, path: str, href: str, tries: int) -> Version:
        with self._store.single(href), self._store.begin(href) as partial:
            roomy = RoomyPartial(partial, self.room)
            try:
                facts = fetch(source, path, roomy, tries=tries, pause=self._pause, said=log.warning)
            except TemporaryError as error:
                if isinstance(error, Full) or not is_full(error) or not self.room.make(roomy.lacking()):
                    raise
                facts = fetch(source, path, roomy, tries=tries, pause=self._pause, said=log.warning)
            return self._store.adopt(partial, href, facts)

    def take_in(self, href: str, stream: Iterable[bytes], length: int | None, digest: str | None) -> Version:
        """Take in what is sent as the newest version of an href. Raises DataError if it is not of the stated digest."""
        self.room.make(length or 0)
        with self._store.single(href), self._store.begin(href) as partial:
            partial.restart(Facts(length))
            for piece in stream:
                partial.write(piece)
            if length is not None and partial.size != length:
                raise DataError(f"{href}: expected {length} bytes, got {partial.size}; nothing was kept")
            version = self._store.adopt(partial, href, Facts(partial.size, "", None), digest)
        self.room.tidy({version.digest})
        return version

    def take_in_blob(self, stream: Iterable[bytes], length: int | None, digest: str) -> bool:
        """Take in what is sent as a blob; False if it is here already."""
        if self._store.blob(digest) is not None:
            return False
        self.room.make(length or 0)
        self._store.put(stream, digest)
        self.room.tidy({digest})
        return True
