"""Bringing data of sources to this node: from a data centre, else from the source itself; kept in the node's cache.

    stated digest here, or held by this session     ─▶ the blob in the cache
    the centre's store, where it can be read        ─▶ in place, nothing is copied
    data centres, in their order                    ─▶ cache, held against the digest that the centre says
    the source: via='direct', or no centre is set up,
    or none answers and the site allows it          ─▶ cache

Guarantees: one download on a node, however many of its processes ask; a session keeps the version that it began with;
what is given out is whole and has the digest that was asked for. It waits, so it is for who may wait.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from park_spool import admitted, config
from park_spool.admitted import Admitted
from park_spool.catalog.suggestions import quoted
from park_spool.config import Config
from park_spool.data_centre import FOR_SESSION, FOR_USER, source_at
from park_spool.errors import DataError, SessionError, TemporaryError
from park_spool.sessions.data import DATACENTER, DIRECT
from park_spool.sessions.data import PACKAGE as DIRECTLY
from park_spool.sessions.session import DataRef
from park_spool.sources.fetching import fetch, pause_after
from park_spool.sources.files import FileSource
from park_spool.sources.opening import open_source
from park_spool.sources.packages import PACKAGE
from park_spool.sources.paths import PUT, clean, split
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import Later, Source
from park_spool.store import evicting, holding
from park_spool.store.entries import total
from park_spool.store.facts import Facts
from park_spool.store.store import Store
from park_spool.store.versions import Version

log = logging.getLogger(__name__)

PATIENCE = 3600.0  # s that a centre may take to bring a file
ROUNDS = 3  # through all ways: a data centre may just be starting
LATER_SECONDS = 0.5  # between two questions whether it has it
UNKNOWN = Facts(None)


class Way(NamedTuple):
    """One way to a file: whom to ask, and whether that is a centre, whose ETag is the file's digest."""

    source: Source
    is_centre: bool
    tries: int


@dataclass(frozen=True)
class Fetcher:
    """What fetches for the session `sid` of `user`; `pause` waits between two tries."""

    settings: Config
    sid: str
    user: str
    cache: Store
    environment: Mapping[str, str]
    pause: Callable[[float], None] = time.sleep
    slack: evicting.Slack = field(default_factory=evicting.Slack)

    @classmethod
    def of(cls, spool: Path, session_json: Path, cache: Path | None) -> Fetcher:
        """Make one for a session as it stands on a spool. Raises a ParkError where that cannot be read."""
        settings = config.load(spool)
        try:
            found = admitted.decode(session_json.read_bytes())
        except OSError as error:
            raise SessionError(f"{session_json} cannot be read: {error}") from error
        return cls.for_session(settings, found, cache)

    @classmethod
    def for_session(cls, settings: Config, session: Admitted, cache: Path | None = None) -> Fetcher:
        """Make one for an admitted session."""
        return cls(settings, session.sid, session.user, Store(cache or settings.cache).make(), os.environ)

    def __call__(self, ref: DataRef) -> Path | None:
        """Bring the file that a reference means, and return where it is: to be read, never to be written.

        None for a file of a package that is to be read where it is, on this machine.

        Raises DataError where there is none, or it is not what its digest says; PermanentError where the site is not
        let in; TemporaryError where another try can help.
        """
        if ref.href.startswith(DIRECTLY) and (not self.settings.datacenter or ref.via == DIRECT):
            return None
        source, path = self._named(ref)
        return self._here(ref) or self._held_in_place(ref) or self._fetched(ref, source, path)

    def _named(self, ref: DataRef) -> tuple[SourceSettings, str]:
        """Return the source that a reference names, and the path in it. DataError if the user may not have it."""
        name, path = split(ref.href) or ("", "")
        if ref.href.startswith(DIRECTLY):
            name, path = PACKAGE, f"/{ref.href.removeprefix(DIRECTLY)}"
        known = {source.name: source for source in self.settings.sources}
        if self.settings.datacenter:
            known |= {builtin: SourceSettings(builtin, "") for builtin in (PUT, PACKAGE)}
        if name not in known:
            raise DataError(
                f"{quoted(ref.href)} names no source of this site; its sources: {', '.join(known) or 'none'}"
            )
        if known[name].users and self.user not in known[name].users:
            raise DataError(f"the source {name!r} is not for {self.user}")
        return known[name], clean(path)

    def _here(self, ref: DataRef) -> Path | None:
        """Return what is here already of the version that is wanted."""
        held = holding.held(self.cache, self.sid, ref.href)
        wanted = ref.sha256 or held
        path = None if wanted is None else self.cache.blob(wanted)
        if path is not None and held is None:
            known = next((one for one in self.cache.versions(ref.href) if one.digest == wanted), None)
            if known is None:
                return None
            holding.hold(self.cache, self.sid, known)
        return path

    def _held_in_place(self, ref: DataRef) -> Path | None:
        """Return the file in the centre's own store if the centre holds it for this session already."""
        if ref.via == DIRECT or not self.settings.datacenter or not os.access(self.settings.store / "holds", os.X_OK):
            return None
        held = holding.held(self._centres, self.sid, ref.href)
        return None if held is None or ref.sha256 not in (None, held) else self._in_place(held)

    def _fetched(self, ref: DataRef, source: SourceSettings, path: str) -> Path:
        with self.cache.single(ref.href):
            found = self._here(ref)  # RACE: another process of this node may have been quicker
            if found is not None:
                return found
            for failures in range(ROUNDS):
                if failures:
                    self.pause(pause_after(failures))
                reasons = []
                for way in self._ways(ref, source):
                    try:
                        return self._brought(ref, way, path)
                    except TemporaryError as error:
                        reasons.append(str(error))
        raise TemporaryError(f"data set {ref.name!r}: {'; '.join(reasons)}")

    def _ways(self, ref: DataRef, source: SourceSettings) -> Iterator[Way]:
        if ref.via == DATACENTER and not self.settings.datacenter:
            raise DataError("via='datacenter', but this site has set up no data centre (datacenter in park.toml)")
        if ref.via == DIRECT and not source.root:
            raise DataError(f"via='direct', but what is called {source.name}: is in the data centre alone")
        if ref.via != DIRECT:
            headers = {FOR_SESSION: self.sid, FOR_USER: self.user}
            for address in self.settings.datacenter:
                yield Way(source_at(address, source.name, self.settings, headers, source.timeout), True, source.tries)
        is_allowed = ref.via is None and (self.settings.direct_fallback or not self.settings.datacenter)
        if source.root and (ref.via == DIRECT or is_allowed):
            yield Way(open_source(source, self.environment), False, source.tries)

    def _brought(self, ref: DataRef, way: Way, path: str) -> Path:
        facts = self._facts(way.source, path) if way.is_centre else _facts_if_known(way.source, path)
        digest = facts.etag.strip('"') if way.is_centre else None
        if digest is not None and ref.sha256 not in (None, digest):
            raise DataError(f"the data centre has {ref.href} with SHA-256 {digest}, the session asks for {ref.sha256}")
        if digest is not None and (found := self._in_place(digest)) is not None:
            return found
        self._make_room(facts.size)
        version = self._kept(ref, way, path, ref.sha256 or digest, facts)
        kept = self.cache.blob(holding.hold(self.cache, self.sid, version))
        if kept is None:
            raise TemporaryError(f"{ref.href} went from {self.cache.root} as soon as it was there; it is fetched again")
        return kept

    def _facts(self, centre: Source, path: str) -> Facts:
        """Ask a centre which version it has; it may take its time, since it fetches the file first."""
        waited = 0.0
        while True:
            try:
                return centre.facts(path)
            except Later:
                if waited >= PATIENCE:
                    raise
            self.pause(LATER_SECONDS)
            waited += LATER_SECONDS

    def _kept(self, ref: DataRef, way: Way, path: str, digest: str | None, facts: Facts) -> Version:
        """Take a file into the cache; one of this machine is not copied where that can be helped."""
        known = None if facts == UNKNOWN else facts
        if isinstance(way.source, FileSource):
            return self.cache.take(way.source.local(path), ref.href, known or way.source.facts(path), digest)
        with self.cache.begin(ref.href) as partial:
            found = fetch(way.source, path, partial, tries=way.tries, pause=self.pause, said=log.warning, known=known)
            return self.cache.adopt(partial, ref.href, found, digest)

    @cached_property
    def _centres(self) -> Store:
        """Return the centre's own store, which need not be there, nor readable from here."""
        return Store(self.settings.store)

    def _in_place(self, digest: str) -> Path | None:
        """Return the file in the centre's own store, where that can be read from here: nothing is copied then."""
        path = self._centres.blob(digest) if self._centres.places.blobs.is_dir() else None
        return path if path is not None and os.access(path, os.R_OK) else None

    def _make_room(self, wanted: int | None) -> None:
        """Keep the cache within its size; what sessions hold stays as long as all of it fits."""
        if self.slack.take(wanted):
            return
        needed, size = wanted or 0, self.settings.data_cache_size
        self._release(self._is_over)
        try:
            evicting.make_room(self.cache, needed, size)
        except TemporaryError as error:
            log.warning("%s; what open sessions began with is let go", error)
            self._release(lambda sid: True)
            evicting.make_room(self.cache, needed, size)
        self.slack.find(size - needed - total(self.cache))

    def _release(self, may_go: Callable[[str], bool]) -> None:
        for sid in filter(may_go, holding.sessions(self.cache)):
            holding.release(self.cache, sid)

    def _is_over(self, sid: str) -> bool:
        return sid != self.sid and not self.settings.layout.session(sid).is_dir()


def _facts_if_known(source: Source, path: str) -> Facts:
    """Ask a source once; one that does not answer now is asked again when its file is fetched."""
    try:
        return source.facts(path)
    except TemporaryError:
        return UNKNOWN
