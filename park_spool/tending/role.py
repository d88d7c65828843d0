"""What park-spoold does in one step: admit, take back, work out what is missing, offer, close.

Every step but the first is a thin doer around a pure decision; the memory between two steps (`OpenSession`) can be
lost at any time, since an audit works it out again. Only the active candidate acts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from park_spool import admitted, intervals, naming, survey
from park_spool.catalog.registry import Registry
from park_spool.errors import PermanentError
from park_spool.leadership import Candidate
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.nodes import Nodes
from park_spool.survey import Survey
from park_spool.tallies import Tally
from park_spool.tending import open_sessions, planning, takeback
from park_spool.tending.admission import Admission
from park_spool.tending.janitor import Janitor
from park_spool.tending.offering import Offering
from park_spool.tending.open_sessions import OpenSession
from park_spool.tending.takeback import TakeBack

log = logging.getLogger(__name__)

REFILL_SECONDS = 0.05
OPEN_SECONDS = 0.5


class Tending:
    """One spoold."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._candidate = Candidate(member, "spoold")
        self.admission = Admission(member)
        self._janitor = Janitor(member, self.admission)
        self._nodes = Nodes(member)
        self._offering = Offering(member)
        self._take_back = TakeBack(member, self._nodes, self._tally, self._pend)
        self._sessions: dict[str, OpenSession] = {}
        self._due = {"audit": 0.0, "nodes": 0.0, "tallies": 0.0}

    @property
    def is_active(self) -> bool:
        return self._candidate.is_active

    def step(self) -> bool:
        """Do everything that is to be done now; return whether anything was."""
        was_active = self.is_active
        if not self._candidate.step():
            self._sessions = {}
            self.admission.inbox.forget(())
            return False
        if not was_active:
            self._due = dict.fromkeys(self._due, self._member.monotonic())
            log.info("tending the spool %s as %s", self._member.config.spool, self._member.name)
            for problem in Registry.load(self._member.config.service_folders).problems:
                log.warning("%s", problem)
        did = self._admit()
        if self._is_due("audit", self._member.config.audit_seconds):
            self._audit_all()
        if self._is_due("nodes", self._member.config.heartbeat_seconds / 20):
            self._nodes.look()
            did = self._take_back.step() or did
        if self._is_due("tallies", self._member.config.tally_seconds / 2):
            did = self._read_tallies() or did
        did = self._audit_due() or did
        return self._offering.step(list(self._sessions.values()), self._nodes.cluster) or did

    def resign(self) -> None:
        self._candidate.resign()

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        if not self.is_active:
            return self._member.config.lease_renew
        config, sessions = self._member.config, self._sessions.values()
        if not config.is_shared and any(one.pending for one in sessions):
            return REFILL_SECONDS  # a look costs nothing on a local disk, and an empty window costs the nodes
        if self.admission.inbox.is_waiting or any(one.suspects for one in sessions):
            return min(config.settle_seconds, config.look_seconds)
        return min(config.look_seconds, OPEN_SECONDS) if sessions else config.look_seconds

    def _is_due(self, what: str, every: float) -> bool:
        now = self._member.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    # admission

    def _admit(self) -> bool:
        admitted = self.admission.step()
        for sid in admitted:
            log.info("admitted session %s", sid)
            self._open(sid, is_mine=True)
        return bool(admitted)

    def _open(self, sid: str, is_mine: bool) -> None:
        now = self._member.monotonic()
        try:
            opened = open_sessions.load(self._member, sid, now + self._member.config.audit_seconds if is_mine else now)
        except PermanentError as error:
            log.error("session %s: %s; it is left alone", sid, error)
            return
        if opened is not None:
            self._sessions[sid] = opened
            if is_mine:
                opened.pend_all()

    # what is missing

    def _audit_all(self) -> None:
        for sid in self._janitor.step():
            self._open(sid, is_mine=True)
        names = self._member.disk.names(self._member.layout.sessions)
        for sid in filter(naming.is_sid, names):
            if sid not in self._sessions:
                self._open(sid, is_mine=False)
        for sid in [sid for sid in self._sessions if sid not in names]:
            del self._sessions[sid]
        self._drop_strays()

    def _drop_strays(self) -> None:
        """Remove units from ready/ whose session is closed or was never admitted: nobody can run them."""
        self._withdraw(lambda sid: sid not in self._sessions and not self._is_open(sid))

    def _is_open(self, sid: str) -> bool:
        return self._member.disk.kind(self._member.layout.session(sid)) is not None

    def _withdraw(self, is_unwanted: Callable[[str], bool]) -> None:
        """Remove the units of unwanted sessions from ready/."""
        disk, spool = self._member.disk, self._member.layout
        for rank, unit in survey.ready(disk, spool):
            if is_unwanted(unit.sid):
                disk.unlink(spool.ready / rank / unit.name)

    def _audit_due(self) -> bool:
        now = self._member.monotonic()
        due = [opened for opened in self._sessions.values() if opened.due <= now]
        if not due:
            return False
        seen = survey.look(self._member.disk, self._member.layout)
        for opened in due:
            opened.read_tallies(self._member)
            self._audit(opened, seen, now)
        return True

    def _audit(self, opened: OpenSession, seen: Survey, now: float) -> None:
        """Take one look at what is missing; what the look before found missing too is to be offered."""
        config = self._member.config
        missing = opened.unheld(seen.held(opened.admitted.sid))
        if opened.suspects is not None and now - opened.suspected_at >= config.staleness_seconds:
            self._pend_attempts(opened, opened.agree(missing))
            opened.suspects, opened.due = None, now + config.audit_seconds
        elif missing:
            if opened.suspects is None:
                opened.suspects, opened.suspected_at = missing, now
            opened.due = opened.suspected_at + config.staleness_seconds
        else:
            opened.suspects, opened.due = None, now + config.audit_seconds

    def _pend_attempts(self, opened: OpenSession, ranges: list[Unit]) -> None:
        last = opened.last_attempts()
        whole: list[Unit] = []
        for unit in self._quarantined(opened.admitted.sid):
            if unit.size == 1:
                key = (*unit.key, unit.start)
                last[key] = max(last.get(key, (-1, -1)), (unit.round, unit.attempt))
            else:
                whole.append(unit)
        units = planning.with_attempts(_cut(ranges, whole), last)
        opened.pend([unit for unit in units if unit.attempt < opened.admitted.max_attempts])
        for unit in units:
            if unit.attempt >= opened.admitted.max_attempts:
                why = "its reply could not be read, at every attempt; it is not tried again"
                takeback.give_up(self._member, _previous(unit), why)

    def _quarantined(self, sid: str) -> list[Unit]:
        names = self._member.disk.names(self._member.layout.quarantine)
        replies = (naming.parse_reply(name) for name in names)
        return [reply[0] for reply in replies if reply is not None and reply[0].sid == sid]

    # what the tallies say

    def _read_tallies(self) -> bool:
        closed = False
        for opened in list(self._sessions.values()):
            opened.has_news = opened.read_tallies(self._member) or opened.has_news
            if opened.has_news and opened.suspects is None:
                opened.due, opened.has_news = self._member.monotonic(), False
            if opened.tally.covers(opened.sizes):
                self._close(opened.admitted.sid)
                closed = True
        return closed

    def _close(self, sid: str) -> None:
        self._withdraw(lambda other: other == sid)
        spool = self._member.layout
        self._member.disk.move(spool.session(sid), spool.closed_session(sid))  # at this instant it is closed
        self._sessions.pop(sid, None)
        log.info("closed session %s: all its jobs are final", sid)

    def _tally(self, sid: str) -> Tally:
        """Return what is final in a session, freshly read: for who is about to run something again."""
        opened = self._sessions.get(sid)
        if opened is None:
            found = admitted.find(self._member.disk, self._member.layout, sid)
            sizes = found[1].session.sizes() if found else {}
            return Tally({key: [(1, size + 1)] for key, size in sizes.items()})
        opened.read_tallies(self._member)
        return opened.tally

    def _pend(self, units: list[Unit]) -> None:
        opened = self._sessions.get(units[0].sid)
        if opened is not None:
            opened.pend(units)


def _cut(ranges: list[Unit], whole: list[Unit]) -> list[Unit]:
    """Cut missing ranges into pieces where a unit of many jobs is in quarantine."""
    pieces: list[Unit] = []
    for unit in ranges:
        marks = [(max(one.start, unit.start), min(one.stop, unit.stop)) for one in whole if one.key == unit.key]
        marked = intervals.union(marks)
        rest = intervals.subtract([(unit.start, unit.stop)], marked)
        pieces += [unit.piece(start, stop) for start, stop in rest]
        for start, stop in marked:
            pieces += planning.pieces(unit.piece(start, stop), [(start, stop)])
    return pieces


def _previous(unit: Unit) -> Unit:
    return replace(unit, attempt=unit.attempt - 1)
