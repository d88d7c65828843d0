"""Doing what users say of a session that was sent: pause, resume, priority, cancel, delete (PROTOCOL.md section 6).

What was said is taken in by whoever lists the session's folder (open_sessions.py); here the spool is made to agree: no
unit of a paused or cancelled session stays in ready/, none stands under an old rank, and what was cancelled ends when
nothing of it is left anywhere. Every look makes it agree again, so it does not matter who moved a unit in between.
"""

from __future__ import annotations

from collections.abc import Iterable

from park_spool import survey
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.survey import Survey
from park_spool.tending import ending
from park_spool.tending.open_sessions import OpenSession


class Controlling:
    """One spoold's hands on sessions of which something was said; `sessions` is the memory that its parts share."""

    def __init__(self, member: Member, sessions: dict[str, OpenSession]) -> None:
        self._member = member
        self._sessions = sessions

    def step(self) -> bool:
        """Make ready/ agree with what was said, and end what was cancelled; return whether a session ended."""
        stopped = [one for one in self._sessions.values() if one.controls.is_stopped]
        if stopped:
            seen = survey.look(self._member.disk, self._member.layout)
            self.settle(seen.ready)
            ended = [self._end(one, seen) for one in stopped]
            return any(ended)
        if any(one.is_misplaced or not one.is_flowing for one in self._sessions.values()):
            self.settle(survey.ready(self._member.disk, self._member.layout))
        return False

    def settle(self, ready: Iterable[tuple[str, Unit]]) -> None:
        """Withdraw or rename the units that should not stand where they do."""
        for rank, unit in ready:
            opened = self._sessions.get(unit.sid)
            if opened is not None and opened.admitted.has(unit):
                self._settle(opened, rank, unit)
        for opened in self._sessions.values():
            opened.is_misplaced = False

    def _settle(self, opened: OpenSession, rank: str, unit: Unit) -> None:
        disk, spool = self._member.disk, self._member.layout
        path = spool.ready / rank / unit.name
        wanted = opened.admitted.rank(unit.key)
        if opened.controls.is_stopped or opened.is_final(unit):
            disk.unlink(path)
        elif opened.controls.is_paused or opened.has_lost_start(unit):
            self._withdraw(opened, rank, unit)
        elif rank != wanted:
            disk.make_folder(spool.ready / wanted)
            disk.move(path, spool.ready / wanted / unit.name)

    def _withdraw(self, opened: OpenSession, rank: str, unit: Unit) -> None:
        """Take a unit that may not be run now out of ready/; whoever wins the unlink offers it again when it may."""
        is_won = self._member.disk.unlink(self._member.layout.ready / rank / unit.name)
        if is_won and unit not in opened.again:
            opened.pend([unit])
        opened.again.discard(unit)

    def _end(self, opened: OpenSession, seen: Survey) -> bool:
        """End a cancelled session of which two looks, far enough apart, found no unit, claim or reply.

        One of which nothing was ever offered ends at once.
        """
        now = self._member.monotonic()
        if opened.sid in seen.sids() or not (opened.is_reduced or opened.controls.is_deleted):
            opened.quiet_since = None
        elif opened.is_untouched:
            return self._finish(opened)
        elif opened.quiet_since is None:
            opened.quiet_since = now
        elif now - opened.quiet_since >= self._member.config.staleness_seconds:
            return self._finish(opened)
        return False

    def _finish(self, opened: OpenSession) -> bool:
        if opened.controls.is_deleted:
            ending.bury(self._member, opened.admitted)
        elif not ending.close(self._member, opened, "it was cancelled, and nothing of it is left"):
            return False
        self._sessions.pop(opened.sid, None)
        return True
