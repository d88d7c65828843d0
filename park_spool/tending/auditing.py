"""Audits: what is missing of the open sessions, found by two looks that agree (PROTOCOL.md section 7).

What is missing pends to be offered, at its round and attempt; what was tried too often and never answered is given up.
"""

from __future__ import annotations

from dataclasses import replace

from park_spool import intervals, naming, survey
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.survey import Survey
from park_spool.tending import planning, takeback
from park_spool.tending.controlling import Controlling
from park_spool.tending.open_sessions import OpenSession


class Auditing:
    """One spoold's audits; `sessions` is the memory that all its parts share."""

    def __init__(self, member: Member, sessions: dict[str, OpenSession], controlling: Controlling) -> None:
        self._member = member
        self._sessions = sessions
        self._controlling = controlling

    def step(self) -> bool:
        """Audit the sessions whose time has come; return whether there were any."""
        now = self._member.monotonic()
        due = [opened for opened in self._sessions.values() if opened.due <= now]
        if not due:
            return False
        seen = survey.look(self._member.disk, self._member.layout)
        for opened in due:
            if self._member.config.is_shared:
                self._member.disk.refresh(self._member.layout.session(opened.sid))
            opened.look(self._member)
            self._audit(opened, seen, now)
        self._controlling.settle(seen.ready)
        return True

    def _audit(self, opened: OpenSession, seen: Survey, now: float) -> None:
        """Take one look at what is missing; what the look before found missing too is to be offered."""
        config = self._member.config
        missing = opened.unheld(seen.held(opened.sid))
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
        for unit in self._quarantined(opened.sid):
            if unit.size == 1:
                key = (*unit.key, unit.start)
                last[key] = max(last.get(key, (-1, -1)), (unit.round, unit.attempt))
            else:
                whole.append(unit)
        units = planning.with_attempts(_cut(ranges, whole), last, opened.retries)
        opened.pend(unit for unit in units if unit.attempt < opened.admitted.max_attempts)
        for unit in units:
            if unit.attempt >= opened.admitted.max_attempts:
                why = "its reply could not be read, at every attempt; it is not tried again"
                takeback.give_up(self._member, _previous(unit), why)

    def _quarantined(self, sid: str) -> list[Unit]:
        names = self._member.disk.names(self._member.layout.quarantine)
        replies = (naming.parse_reply(name) for name in names)
        return [reply[0] for reply in replies if reply is not None and reply[0].sid == sid]


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
