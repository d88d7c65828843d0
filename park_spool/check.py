"""`check(spool)`: sentences about everything illegal that stands in a spool. Test oracle and operator's tool alike.

Reads only. A spool in use moves while it is read, so `park check` looks twice and reports what both looks saw.
Legal leftovers of crashes (PROTOCOL.md sections 4 and 9) are not reported: somebody named there clears them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from park_spool import (
    admitted,
    check_session,
    controls,
    intervals,
    naming,
    replies,
    sealed,
    starts,
    survey,
    tallies,
    wishes,
)
from park_spool.admitted import Admitted
from park_spool.atomic import Disk
from park_spool.errors import PermanentError, TornError
from park_spool.layout import FOLDERS, Layout
from park_spool.naming import Unit
from park_spool.patterns import PATTERNS


def check(root: Path, disk: Disk | None = None) -> list[str]:
    """Return one sentence for each illegal state found in the spool at `root`; an empty list means that all is well."""
    spool = Layout(root)
    looks = _Looks(disk or Disk(spool.tmp, "check"), spool)
    missing = [f"{name}/ is missing: a spool has this folder" for name in FOLDERS if not spool.folder(name).is_dir()]
    if missing:
        return missing
    return [
        *looks.names(),
        *looks.sessions(),
        *looks.units(),
        *looks.replies(),
        *looks.bundles(),
        *looks.kept(),
        *looks.snapshots(),
        *looks.calls(),
        *looks.beside(spool.rejected, "rejected"),
        *looks.beside(spool.quarantine, "quarantine"),
    ]


class _Looks:
    """One look at each place of a spool."""

    def __init__(self, disk: Disk, spool: Layout) -> None:
        self._disk = disk
        self._spool = spool
        self._sessions: dict[str, tuple[Path, Admitted] | None] = {}
        self._names: dict[str, list[str]] = {}
        self._tombs: dict[str, bool] = {}

    def names(self) -> Iterator[str]:
        """Find names that no pattern knows, in the folders where every name must be known."""
        known: dict[str, Callable[[str], object]] = {
            "sessions": lambda name: naming.is_sid(name) or name == "closed",
            "sessions/closed": lambda name: naming.is_sid(name) or wishes.parse_tombstone(name),
            "ready": naming.is_rank,
            "claimed": lambda name: naming.is_node(name) or PATTERNS["expired"].fullmatch(name),
            "replies": naming.parse_reply,
            "reduced": naming.is_sid,
            "files": naming.is_sid,
            "calls": naming.is_sid,
            "nodes": naming.parse_heartbeat,
            "notices": lambda name: wishes.parse_notice(name) or wishes.parse_away(name),
            "pilots": wishes.parse_pilot,
            "locks": naming.parse_lock,
        }
        holders = set(self._disk.names(self._spool.claimed))
        for name in sorted(holders):
            if f"{name}{naming.EXPIRED}" in holders:
                yield f"claimed/{name}: stands beside its .expired: a fenced node comes back under a new name only"
        for folder, is_known in known.items():
            for name in self._disk.names(self._spool.folder(folder)):
                if not is_known(name):
                    yield f"{folder}/{name}: no such name is known there; nobody will ever look at it"

    def sessions(self) -> Iterator[str]:
        """Hold each admitted session against what makes one."""
        for folder in (self._spool.sessions, self._spool.closed):
            for sid in filter(naming.is_sid, self._disk.names(folder)):
                yield from check_session.faults(self._disk, self._spool.root, folder / sid)
        for sid in filter(naming.is_sid, self._disk.names(self._spool.closed)):
            if self._disk.kind(self._spool.session(sid)) is not None:
                yield f"sessions/{sid}: is open and closed at once"
            if self._is_deleted(sid):
                yield f"sessions/closed/{sid}: was deleted, and stands beside its tombstone; nobody looks for it there"

    def units(self) -> Iterator[str]:
        """Hold each unit in ready/ and claimed/ against the session that it names, and its folder against its rank."""
        seen = survey.look(self._disk, self._spool)
        for rank, unit in seen.ready:
            yield from self._unit(f"ready/{rank}/{unit.name}", unit, rank)
        for holder, unit in seen.claimed:
            yield from self._unit(f"claimed/{holder}/{unit.name}", unit, None)
        for folder in (*(self._spool.ready / rank for rank in survey.ranks(self._disk, self._spool)), *self._holders()):
            for name in self._disk.names(folder):
                if naming.parse_unit(name) is None:
                    yield f"{folder.relative_to(self._spool.root)}/{name}: is not the name of a unit"

    def _holders(self) -> Iterable[Path]:
        return (self._spool.claimed / name for name in self._disk.names(self._spool.claimed))

    def _unit(self, where: str, unit: Unit, rank: str | None) -> Iterator[str]:
        session = self._find(unit.sid)
        if self._is_deleted(unit.sid):
            return  # whoever meets it drops it
        if session is None:
            yield f"{where}: names a session that was never admitted"
        elif not session.has(unit):
            yield f"{where}: names jobs that its session has not"
        elif unit.attempt >= session.max_attempts:
            yield f"{where}: expected an attempt below {session.max_attempts}, got {unit.attempt}"
        elif unit.round > self._rounds(unit.sid):
            yield f"{where}: is of a round that no retry opened"
        elif rank is not None and session.rank(unit.key) != rank and not self._was_moved(unit.sid):
            yield f"{where}: expected rank {session.rank(unit.key)}"
        elif rank is not None and self._disk.kind(self._spool.session(unit.sid)) is None:
            yield f"{where}: its session is closed, nobody needs its jobs"
        elif rank is not None and self._is_too_early(unit, session):
            yield f"{where}: waits for its start values, and was offered without"

    def _is_too_early(self, unit: Unit, session: Admitted) -> bool:
        """Say whether the start of a unit does not stand, though its jobs have neither result nor reply."""
        needed = starts.waits_of(session.session).needed(unit.key, unit.start)
        if starts.starts_in(self._said(unit.sid)).issuperset(needed):
            return False
        final = tallies.read(self._disk, self._spool.session(unit.sid), {}).final.get(unit.key, [])
        replied = (reply[0] for name in self._disk.names(self._spool.replies) if (reply := naming.parse_reply(name)))
        answered = any((one.sid, one.key, one.start) == (unit.sid, unit.key, unit.start) for one in replied)
        return not answered and not intervals.holds(final, unit.start, unit.stop)

    def _said(self, sid: str) -> list[str]:
        """Return the names in a session's folder, open or closed, as one look saw them."""
        if sid not in self._names:
            folders = (self._spool.session(sid), self._spool.closed_session(sid))
            self._names[sid] = [name for folder in folders for name in self._disk.names(folder)]
        return self._names[sid]

    def _was_moved(self, sid: str) -> bool:
        """Say whether a session was given another priority: a unit may stand under its old rank until an audit."""
        return controls.read(self._said(sid)).priority is not None

    def _rounds(self, sid: str) -> int:
        return max((wishes.parse_retry(name) or 0 for name in self._said(sid)), default=0)

    def _is_deleted(self, sid: str) -> bool:
        if sid not in self._tombs:
            self._tombs[sid] = self._disk.kind(self._spool.tombstone(sid)) is not None
        return self._tombs[sid]

    def _find(self, sid: str) -> Admitted | None:
        if sid not in self._sessions:
            try:
                self._sessions[sid] = admitted.find(self._disk, self._spool, sid)
            except PermanentError:
                self._sessions[sid] = None  # said of the session itself
        found = self._sessions[sid]
        return found and found[1]

    def replies(self) -> Iterator[str]:
        """Read every reply that waits, as the reducer will."""
        for name in self._disk.names(self._spool.replies):
            parsed = naming.parse_reply(name)
            data = self._disk.read(self._spool.replies / name)
            if parsed is None or data is None:
                continue
            yield from self._reply(f"replies/{name}", name, data, parsed[0])

    def _reply(self, where: str, name: str, data: bytes, unit: Unit) -> Iterator[str]:
        try:
            replies.decode(name, data)
        except TornError as error:
            yield f"{where}: {error}"
        session = self._find(unit.sid)
        if not self._is_deleted(unit.sid) and (session is None or not session.has(unit)):
            yield f"{where}: answers jobs that no session has"

    def bundles(self) -> Iterator[str]:
        """Read every bundle: what the archive can be made again from."""
        for sid in filter(naming.is_sid, self._disk.names(self._spool.reduced)):
            for name in self._disk.names(self._spool.bundles(sid)):
                yield from self._bundle(sid, name)

    def _bundle(self, sid: str, name: str) -> Iterator[str]:
        where = f"reduced/{sid}/{name}"
        data = self._disk.read(self._spool.bundles(sid) / name)
        if naming.parse_bundle(name) is None:
            yield f"{where}: is not the name of a bundle"
        elif data is not None:
            try:
                for part, reply in sealed.unbind(data):
                    parsed = naming.parse_reply(part)
                    if parsed is None or parsed[0].sid != sid:
                        yield f"{where}: holds {part}, which is not a reply of this session"
                    else:
                        yield from self._reply(f"{where}: {part}", part, reply, parsed[0])
            except TornError as error:
                yield f"{where}: {error}"

    def kept(self) -> Iterator[str]:
        """Hold the folders of kept files against the sessions that they are of; the files themselves are not read."""
        for sid in filter(naming.is_sid, self._disk.names(self._spool.folder("files"))):
            if self._find(sid) is None and not self._is_deleted(sid):
                yield f"files/{sid}: holds what jobs of a session kept that was never admitted"
            for name in self._disk.names(self._spool.kept(sid)):
                if not PATTERNS["kept"].fullmatch(name):
                    yield f"files/{sid}/{name}: is not the SHA-256 of a file"

    def snapshots(self) -> Iterator[str]:
        """Find what looks like a copy of the archive and is none; other names in archive/ are SQLite's and people's."""
        for name in self._disk.names(self._spool.snapshots):
            if name.startswith(naming.SNAPSHOT) and naming.parse_snapshot(name) is None:
                yield f"archive/{name}: is not the name of a copy of the archive; nobody will ever look at it"

    def calls(self) -> Iterator[str]:
        """Hold the folders of calls against their sessions; one without a session is cleared by spoold."""
        for sid in filter(naming.is_sid, self._disk.names(self._spool.folder("calls"))):
            session = self._find(sid)
            if session is not None and not session.session.grows:
                yield f"calls/{sid}: is of a session that makes no calls"
            for name in self._disk.names(self._spool.calls(sid)):
                if not (naming.parse_payload(name) or naming.parse_alive(name) or PATTERNS["kept"].fullmatch(name)):
                    yield f"calls/{sid}/{name}: is neither a payload, nor a function, nor a sign of life"

    def beside(self, folder: Path, what: str) -> Iterator[str]:
        """Find things put aside without a reason beside them."""
        names = set(self._disk.names(folder))
        for name in sorted(names):
            if not name.endswith(naming.WHY) and f"{name}{naming.WHY}" not in names:
                yield f"{what}/{name}: was put aside without a reason beside it"


def check_twice(root: Path) -> list[str]:
    """Check a spool in use: only what two looks in a row both saw is illegal, the rest was moving."""
    first = check(root)
    return [sentence for sentence in check(root) if sentence in first] if first else []
