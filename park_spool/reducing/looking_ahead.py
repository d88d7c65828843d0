"""Looking at what a group waits for: a group of its own session, or another session wherever that is now.

Asks the archive first, which knows what is final, and the spool only for what is not open any more, or not yet: many
sessions may wait for long.
Guarantees: bundles that others wrote are read in before a group that is over is judged by its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from park_spool import whereabouts
from park_spool.archive.writing import Archive
from park_spool.member import Member
from park_spool.reducing.ahead import Ahead, Fate
from park_spool.reducing.known import Known
from park_spool.reducing.sessions import Sessions
from park_spool.sessions.after import After
from park_spool.whereabouts import Place

MOST_AHEAD = 100  # sessions that are followed to see whether they lead back


class LookingAhead:
    """One reducer's eyes; `begin` before each round of looks."""

    def __init__(self, member: Member, archive: Archive, sessions: Sessions, absorb: Callable[[str], object]) -> None:
        self._member = member
        self._archive = archive
        self._sessions = sessions
        self._absorb = absorb
        self._places: dict[str, Place] | None = None
        self._circles: dict[str, set[str]] = {}  # of each session that waits: those before it that wait for it

    def begin(self, waiting: Collection[str]) -> None:
        """Begin a round of looks for the sessions that wait: the spool is to be looked at again."""
        self._places = None
        self._circles = {sid: circle for sid, circle in self._circles.items() if sid in waiting}

    def look(self, known: Known, group: int, after: After, doomed: Collection[int]) -> Ahead:
        """Look what has become of that for which a group waits; `doomed` are groups that can never start."""
        if after.sid is None:
            return self._here(known.sid, after.group or 0, doomed)
        if known.sid not in self._circles:
            # Once is enough: of sessions that wait for each other the last to come finds them all.
            self._circles[known.sid] = {sid for sid in known.waits.sids if self._leads_to(sid, known.sid)}
        fate = self._fate(after.sid)
        if fate == "open" and after.sid in self._circles[known.sid]:
            fate = "circle"
        if fate not in ("complete", "cancelled", "incomplete"):
            return Ahead(after.name, fate)
        number = after.group or min(group, self._archive.group_count(after.sid))
        ahead = self._ahead(after.sid, number, After(after.sid, number).name, fate)
        if after.sid not in self._sessions.open:
            self._sessions.let_go(after.sid)
        return ahead

    def _here(self, sid: str, group: int, doomed: Collection[int]) -> Ahead:
        name = After(None, group).name
        if group in doomed:
            return Ahead(name, "doomed")
        if not self._is_done(sid, group):
            return Ahead(name, "open")
        self._absorb(sid)
        return self._ahead(sid, group, name, "complete")

    def _is_done(self, sid: str, group: int) -> bool:
        jobs, ok, failed = self._archive.group_counts(sid, group)
        return ok + failed == jobs

    def _ahead(self, sid: str, group: int, name: str, fate: Fate) -> Ahead:
        jobs, ok, _ = self._archive.group_counts(sid, group)
        return Ahead(name, fate, jobs, ok, self._archive.best_fit(sid, group))

    # another session

    def _fate(self, sid: str) -> Fate:
        if sid in self._sessions.deleted:
            return "deleted"
        is_open = sid in self._sessions.open
        if self._is_complete(sid):
            if is_open:
                self._attend(sid)
            self._absorb(sid)
            if self._is_complete(sid):
                return "complete"
        return "open" if is_open else self._fate_elsewhere(sid)

    def _attend(self, sid: str) -> None:
        """Take in what users said a moment ago: what a retry names is not final any more."""
        folder = self._member.layout.session(sid)
        names = self._member.disk.names(folder)
        if names:
            self._sessions.attend(sid, folder, names)

    def _is_complete(self, sid: str) -> bool:
        jobs, ok, failed = self._archive.counts(sid)
        return 0 < jobs == ok + failed

    def _fate_elsewhere(self, sid: str) -> Fate:
        """Find a session that is not open."""
        if self._places is None:
            self._places = dict(whereabouts.places(self._member.disk, self._member.layout))
        place = self._places.get(sid)
        if place == "deleted":
            return "deleted"
        if place == "closed":
            return self._fate_when_closed(sid)
        if place is not None:
            return "open"
        return "rejected" if self._is_rejected(sid) else "unknown"

    def _fate_when_closed(self, sid: str) -> Fate:
        known = self._sessions.get(sid)
        if known is None:
            return "open"  # RACE: it was opened again, or deleted, or cannot be read: the next look tells
        self._absorb(sid)
        if self._is_complete(sid):
            return "complete"
        return "cancelled" if known.controls.is_stopped else "incomplete"

    def _is_rejected(self, sid: str) -> bool:
        return whereabouts.rejection(self._member.disk, self._member.layout, sid) is not None

    def _leads_to(self, sid: str, waiting: str) -> bool:
        """Say whether an open session waits for another one, perhaps by way of others: then both wait for ever."""
        seen, ahead = {sid}, [sid]
        while ahead and len(seen) <= MOST_AHEAD:
            one = ahead.pop()
            known = self._sessions.get(one) if one in self._sessions.open else None
            further = known.waits.sids - seen if known else set()
            seen |= further
            ahead += further
        return waiting in seen
