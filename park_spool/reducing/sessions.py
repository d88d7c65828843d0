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

from park_spool import admitted, controls, layout, naming, retries, wishes
from park_spool.archive.sessions import CLOSED_STATES
from park_spool.archive.writing import Archive
from park_spool.errors import PermanentError
from park_spool.member import Member
from park_spool.reducing import notes
from park_spool.reducing.bundles import Bundles
from park_spool.reducing.known import Known, state_of
from park_spool.reducing.outgoing import Outgoing
from park_spool.reducing.reducers import Reducers
from park_spool.wishes import Control

log = logging.getLogger(__name__)


class Sessions:
    """What one reducer knows of the sessions; `tell(sid)` is called when what is final in one has changed."""

    def __init__(
        self,
        member: Member,
        archive: Archive,
        reducers: Reducers,
        bundles: Bundles,
        outgoing: Outgoing,
        tell: Callable[[str], None],
    ) -> None:
        self._member = member
        self._archive = archive
        self._reducers = reducers
        self._bundles = bundles
        self._outgoing = outgoing
        self._tell = tell
        self._known: dict[str, Known] = {}
        self._broken: set[str] = set()
        self._due = {"controls": 0.0, "tombstones": 0.0}
        self._lost: set[str] = set()  # open, and in no folder at the last look
        self.open: set[str] = set()
        self.deleted: set[str] = set()

    def catch_up(self) -> None:
        """Take in what happened while nobody reduced: sessions that came, were told otherwise, were closed, deleted."""
        self.deleted = self._archive.deleted_sessions()
        self.open = set(self._archive.open_sessions())
        self._outgoing.look()
        self._bury()
        known = self._archive.sessions_known()
        for sid in filter(naming.is_sid, self._member.disk.names(self._member.layout.closed)):
            self._see_closed(sid, is_news=sid not in known)
        self.step()

    def step(self) -> bool:
        """Look at what is new in sessions/, what is gone, and what users said; return whether anything was added."""
        spool = self._member.layout
        names = {name for name in self._member.disk.names(spool.sessions) if naming.is_sid(name)}
        fresh, vanished = names - self.open - self.deleted, self.open - names
        is_due = self._is_due("controls", self._member.config.control_seconds)
        for sid in sorted(names if is_due else fresh):
            self.attend(sid, spool.session(sid), self._member.disk.names(spool.session(sid)))
        for sid in sorted(fresh):
            self._expect_bundles(sid)
        self.open |= names
        self._see_running()
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

    def _expect_bundles(self, sid: str) -> None:
        """Have the bundles of a session read in that came with it from another spool."""
        if self._member.disk.names(self._member.layout.bundles(sid)):
            self._tell(sid)

    def _see_running(self) -> None:
        for sid in sorted(self.open) if self._outgoing.has_notices else ():
            known = self._known.get(sid)
            if known is not None:
                self._outgoing.running(sid, known.admitted.session, self._member.layout.session(sid))

    def _see_closed(self, sid: str, is_news: bool) -> None:
        """Take in what was said of a closed session, and see to what is to go out."""
        folder = self._member.layout.closed_session(sid)
        names = self._member.disk.names(folder)
        if is_news or wished(names):
            self.attend(sid, folder, names)
        self._outgoing.closed(sid, names, lambda: known.admitted.session if (known := self.get(sid)) else None)

    # one session

    def get(self, sid: str) -> Known | None:
        """Return an admitted session, putting it into the archive at first sight.

        None if it is not (yet) to be seen.
        """
        if sid not in self._known and sid not in self.deleted:
            for folder in (self._member.layout.session(sid), self._member.layout.closed_session(sid)):
                data = self._member.disk.read(layout.session_json(folder))
                if data is not None:
                    self._add(sid, folder, data)
                    break
        return self._known.get(sid)

    def at_hand(self) -> list[Known]:
        """Return the open sessions of which something is still expected."""
        return [known for sid, known in self._known.items() if sid in self.open]

    def _add(self, sid: str, folder: Path, data: bytes) -> None:
        try:
            session = admitted.decode(data)
        except PermanentError as error:
            self._complain(sid, error)
            return
        xml = self._member.disk.read(layout.session_xml(folder)) or b""
        record = {"owner": session.owner, "file": session.file, **session.session.to_json()}
        with self._archive.transaction():
            self._archive.add_session(sid, record, xml, session.received)
            self._archive.add_event(sid, "admitted", session.received, "admitted", session.user, session.file)
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
        told = list(notes.events(self._member, folder, names, self._archive.events_known(known.sid), known.read))
        fresh, again = self._fresh(known, names)
        with self._reducers.undone_on_failure(), self._archive.transaction():
            for name in fresh:
                self._apply_retry(known, name)
            for event in told:
                self._archive.add_event(known.sid, *event)
            for wish in again:
                self._run_again(known, wish)
            known.controls = controls.read(names)
            self.settle(known, notes.stopped_at(self._member, folder, names))
            if known.controls.priority is not None:
                self._archive.set_priority(known.sid, known.controls.priority)
        known.retries = counted_by
        known.reduced = max((one.seq for one in controls.reductions(names)), default=0)
        unread = {name for name in retries.names_of(names) if name not in known.read}  # NFS: it may be read later
        silent = frozenset(event.key for event in told if event.at is None)  # RACE: or just made, and not yet written
        known.wishes = wished(names) - unread - (silent - known.silent)
        known.silent |= silent
        if fresh:
            log.info("session %s: jobs are tried again in round %d", known.sid, counted_by.highest)
        if fresh or again:
            self._tell(known.sid)

    def _fresh(self, known: Known, names: list[str]) -> tuple[list[str], list[Control]]:
        """Return the retries that can be read, and the wishes to reduce again, that are not in the archive yet."""
        applied, done = self._archive.retries_known(known.sid), self._archive.reductions_known(known.sid)
        fresh = [name for name in retries.names_of(names) if name in known.read and name not in applied]
        return fresh, [one for one in controls.reductions(names) if one.name not in done]

    def _apply_retry(self, known: Known, name: str) -> None:
        round_ = wishes.parse_retry(name) or 0
        for group in sorted(self._archive.apply_retry(known.sid, name, round_, known.read[name])):
            self._reducers.restart(known.admitted, (known.sid, group))

    def _run_again(self, known: Known, wish: Control) -> None:
        """Run the reducers of a session again, or that of one group, over what is archived."""
        self._archive.add_reduction(known.sid, wish.name)
        groups = range(1, len(known.admitted.session.groups) + 1)
        wanted = [number for number in groups if wish.argument in (None, number)]
        self._reducers.run_again(known.admitted, wanted)
        log.info("session %s: the reducers of groups %s ran again", known.sid, wanted)

    def settle(self, known: Known, stopped_at: float | None = None) -> bool:
        """Say in what state a session is, inside the caller's transaction; return whether all its jobs are final."""
        counts = self._archive.counts(known.sid)
        is_complete = counts[1] + counts[2] == counts[0]
        before = self._archive.state(known.sid)
        state = state_of(known.controls, counts, before == "running" or self._archive.has_run(known.sid))
        if state != before or is_complete:
            ended = self._archive.last_finished(known.sid) if is_complete else self._member.wall()
            self._archive.set_state(known.sid, state, stopped_at if stopped_at and state == "cancelled" else ended)
        if state in CLOSED_STATES:
            if state != before:
                self.put_in_order(known)
            self._reducers.finish(known.admitted, is_news=state != before)
        return is_complete

    def put_in_order(self, known: Known) -> None:
        """Run the reducers of a session that is over from the start, if anything of it was ever wished anew.

        So what they said stands in the order in which jobs ended, whether the wish came before the results or after:
        an archive that is made again knows it from the start.
        """
        if wishes.edition_of(known.wishes) > 1:
            for number, group in enumerate(known.admitted.session.groups, 1):
                if group.reduce is not None:
                    self._reducers.restart(known.admitted, (known.sid, number))

    # sessions that are not open any more

    def _leave(self, vanished: set[str]) -> None:
        spool = self._member.layout
        closed = set(self._member.disk.names(spool.closed))
        for sid in sorted(vanished):
            if wishes.tombstone_name(sid) in closed:
                self._delete(sid)
            elif sid in closed:
                self._see_closed(sid, is_news=True)
                self.open.discard(sid)
        self._lost = vanished & self.open  # RACE: on their way from one folder to the other; another look finds them

    def _bury(self) -> None:
        """Find tombstones that the archive does not know, and what a crash left of deleted sessions.

        Find closed sessions that it does not know, too: one that came from another spool may have been open for so
        short a while that nobody saw it.
        """
        names = self._member.disk.names(self._member.layout.closed)
        known = self._archive.sessions_known()
        for sid in [name for name in names if naming.is_sid(name) and name not in known]:
            self._expect_bundles(sid)
            self._see_closed(sid, is_news=True)
        stones = {sid for sid in map(wishes.parse_tombstone, names) if sid is not None}
        for sid in sorted(stones - self.deleted):
            self._delete(sid)
        for sid in self._bundles.sids() if stones else ():
            if sid in stones:
                self._bundles.remove(sid)

    def _delete(self, sid: str) -> None:
        """Remove a deleted session's rows, then its bundles. CRASH: in between they are found at the next start."""
        with self._archive.transaction():
            self._archive.delete_session(sid, notes.of_tombstone(self._member, sid))
        self.deleted.add(sid)
        self.open.discard(sid)
        self.let_go(sid)
        self._bundles.remove(sid)
        self._outgoing.forget(sid)
        log.info("session %s was deleted: its rows, bundles and what was delivered are removed", sid)


def wished(names: Iterable[str]) -> frozenset[str]:
    """Return those of the names in a session's folder that say what a user wants, or that a group may start.

    >>> sorted(wished(["session.json", "retry.01.x0p2qa", "control.000000001.x0p2qa.pause"]))
    ['control.000000001.x0p2qa.pause', 'retry.01.x0p2qa']
    """
    return frozenset(name for name in names if is_wish(name))


def is_wish(name: str) -> bool:
    """Say whether a name in a session's folder tells something of it for good; the start of a step comes and goes."""
    start = naming.parse_start(name)
    if start is not None:
        return not start.job
    return wishes.parse_control(name) is not None or wishes.parse_retry(name) is not None
