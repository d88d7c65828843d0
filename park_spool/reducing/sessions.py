"""The sessions as the reducer keeps up with them: admitted, told otherwise by their users, closed, deleted.

    sessions/SID seen        it is put into the archive
    control.*, retry.*       listed every `control_seconds`: its state, and what is final, follow
    gone from sessions/      closed: one last look at what was said; a tombstone: its rows and bundles go

Each is one transaction that may be repeated, so a reducer that died in between, or an empty archive, ends the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from park_spool import admitted, controls, layout, naming, retries, tombstones, wishes
from park_spool.archive.writing import Archive
from park_spool.errors import PermanentError
from park_spool.member import Member
from park_spool.reducing import notes
from park_spool.reducing.bundles import Bundles
from park_spool.reducing.known import Known, state_of
from park_spool.reducing.reducers import Reducers

log = logging.getLogger(__name__)


class Sessions:
    """What one reducer knows of the sessions; `tell(sid)` is called when what is final in one has changed."""

    def __init__(
        self, member: Member, archive: Archive, reducers: Reducers, bundles: Bundles, tell: Callable[[str], None]
    ) -> None:
        self._member = member
        self._archive = archive
        self._reducers = reducers
        self._bundles = bundles
        self._tell = tell
        self._known: dict[str, Known] = {}
        self._broken: set[str] = set()
        self._due = {"controls": 0.0, "tombstones": 0.0}
        self._lost: set[str] = set()  # open, and in no folder at the last look
        self.open: set[str] = set()
        self.deleted: set[str] = set()
        self.of_calls: set[str] = set()  # an asker reduces them: nothing of them comes into the archive

    def catch_up(self) -> None:
        """Take in what happened while nobody reduced: sessions that came, were told otherwise, were closed, deleted."""
        self.deleted = self._archive.deleted_sessions()
        self.open = set(self._archive.open_sessions())
        self._bury()
        known = self._archive.sessions_known()
        for sid in filter(naming.is_sid, self._member.disk.names(self._member.layout.closed)):
            names = self._member.disk.names(self._member.layout.closed_session(sid))
            if sid not in known or wished(names):
                self.attend(sid, self._member.layout.closed_session(sid), names)
        self.step()

    def step(self) -> bool:
        """Look at what is new in sessions/, what is gone, and what users said; return whether anything was added."""
        spool = self._member.layout
        names = {name for name in self._member.disk.names(spool.sessions) if naming.is_sid(name)}
        fresh, vanished = names - self.open - self.deleted, self.open - names
        is_due = self._is_due("controls", self._member.config.control_seconds)
        for sid in sorted(names if is_due else fresh):
            self.attend(sid, spool.session(sid), self._member.disk.names(spool.session(sid)))
        self.open |= names
        if vanished - self._lost or (vanished and is_due):
            self._leave(vanished)
        if self._is_due("tombstones", self._member.config.audit_seconds):
            self._bury()
        return bool(fresh & self._known.keys())

    def _is_due(self, what: str, every: float) -> bool:
        now = self._member.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    # one session

    def get(self, sid: str) -> Known | None:
        """Return an admitted session, putting it into the archive at first sight.

        None if it is not (yet) to be seen.
        """
        if sid not in self._known and sid not in self.deleted and sid not in self.of_calls:
            for folder in (self._member.layout.session(sid), self._member.layout.closed_session(sid)):
                data = self._member.disk.read(layout.session_json(folder))
                if data is not None:
                    self._add(sid, folder, data)
                    break
        return self._known.get(sid)

    def _add(self, sid: str, folder: Path, data: bytes) -> None:
        try:
            session = admitted.decode(data)
        except PermanentError as error:
            self._complain(sid, error)
            return
        if session.session.grows:
            self.of_calls.add(sid)
            return
        xml = self._member.disk.read(layout.session_xml(folder)) or b""
        record = {"owner": session.owner, "file": session.file, **session.session.to_json()}
        with self._archive.transaction():
            self._archive.add_session(sid, record, xml, session.received)
        known = Known(session)
        self._take_in(known, folder, self._member.disk.names(folder))
        self._known[sid] = known

    def _complain(self, sid: str, error: PermanentError) -> None:
        """Say once that a session cannot be read; it must not stop the others."""
        if sid not in self._broken:
            self._broken.add(sid)
            log.error("session %s: %s; it is left alone", sid, error)

    def let_go(self, sid: str) -> None:
        """Forget a session of which nothing more is expected: a late result, or wish, reads it again."""
        self._known.pop(sid, None)
        self._reducers.forget(sid)

    # what users said

    def attend(self, sid: str, folder: Path, names: list[str]) -> None:
        """Take in what users said of a session, from the names in its folder."""
        known = self._known.get(sid)
        if known is None:
            self.get(sid)
        elif known.wishes != wished(names):
            self._take_in(known, folder, names)

    def _take_in(self, known: Known, folder: Path, names: list[str]) -> None:
        """Apply what is new in one transaction, and only then count by it."""
        if not wished(names):
            return
        counted_by = retries.read(self._member.disk, folder, names, known.read)
        applied = self._archive.retries_known(known.sid)
        fresh = [name for name in retries.names_of(names) if name in known.read and name not in applied]
        with self._reducers.undone_on_failure(), self._archive.transaction():
            for name in fresh:
                self._apply_retry(known, name)
            known.controls = controls.read(names)
            self.settle(known, notes.stopped_at(self._member, folder, names))
            if known.controls.priority is not None:
                self._archive.set_priority(known.sid, known.controls.priority)
        known.retries = counted_by
        unread = {name for name in retries.names_of(names) if name not in known.read}  # NFS: it may be read later
        known.wishes = wished(names) - unread
        if fresh:
            log.info("session %s: jobs are tried again in round %d", known.sid, counted_by.highest)
            self._tell(known.sid)

    def _apply_retry(self, known: Known, name: str) -> None:
        round_ = wishes.parse_retry(name) or 0
        for group in sorted(self._archive.apply_retry(known.sid, name, round_, known.read[name])):
            self._reducers.restart(known.admitted, (known.sid, group))

    def settle(self, known: Known, stopped_at: float | None = None) -> bool:
        """Say in what state a session is, inside the caller's transaction; return whether all its jobs are final."""
        counts = self._archive.counts(known.sid)
        is_complete = counts[1] + counts[2] == counts[0]
        before = self._archive.state(known.sid)
        state = state_of(known.controls, counts, before == "running" or self._archive.has_run(known.sid))
        if state != before or is_complete:
            ended = self._archive.last_finished(known.sid) if is_complete else self._member.wall()
            self._archive.set_state(known.sid, state, stopped_at if stopped_at and state == "cancelled" else ended)
        return is_complete

    # sessions that are not open any more

    def _leave(self, vanished: set[str]) -> None:
        spool = self._member.layout
        closed = set(self._member.disk.names(spool.closed))
        for sid in sorted(vanished):
            if wishes.tombstone_name(sid) in closed:
                self._delete(sid)
            elif sid in closed:
                self.attend(sid, spool.closed_session(sid), self._member.disk.names(spool.closed_session(sid)))
                self.open.discard(sid)
        self._lost = vanished & self.open  # RACE: on their way from one folder to the other; another look finds them

    def _bury(self) -> None:
        """Find tombstones that the archive does not know, and bundles that a crash left of deleted sessions."""
        names = self._member.disk.names(self._member.layout.closed)
        stones = {sid for sid in map(wishes.parse_tombstone, names) if sid is not None}
        over = self.of_calls & self.deleted - stones
        self.of_calls, self.deleted = self.of_calls - over, self.deleted - over
        for sid in sorted(stones - self.deleted):
            self._delete(sid)
        for sid in self._bundles.sids() if stones else ():
            if sid in stones:
                self._bundles.remove(sid)

    def _delete(self, sid: str) -> None:
        """Remove a deleted session's rows, then its bundles. CRASH: in between they are found at the next start."""
        if sid in self.of_calls or tombstones.is_of_calls(self._member.disk, self._member.layout, sid):
            self.of_calls.add(sid)
            self.deleted.add(sid)  # what its nodes still answer is dropped
            self.open.discard(sid)
            return
        with self._archive.transaction():
            self._archive.delete_session(sid, notes.of_tombstone(self._member, sid))
        self.deleted.add(sid)
        self.open.discard(sid)
        self.let_go(sid)
        self._bundles.remove(sid)
        log.info("session %s was deleted: its rows and bundles are removed", sid)


def wished(names: Iterable[str]) -> frozenset[str]:
    """Return those of the names in a session's folder that say what a user wants.

    >>> sorted(wished(["session.json", "retry.01.x0p2qa", "control.000000001.x0p2qa.pause"]))
    ['control.000000001.x0p2qa.pause', 'retry.01.x0p2qa']
    """
    return frozenset(name for name in names if wishes.parse_control(name) or wishes.parse_retry(name) is not None)
