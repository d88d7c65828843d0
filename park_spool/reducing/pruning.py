"""Letting old sessions go, once an hour, where `keep_days` is set: as if their users had said `park delete`."""

from __future__ import annotations

import logging

from park_spool import control_requests
from park_spool.archive.writing import Archive
from park_spool.errors import ParkError
from park_spool.member import Member

log = logging.getLogger(__name__)

DAY = 86_400.0
EVERY = 3600.0
MOST = 20  # sessions in one step: results go on coming in meanwhile
WHO = "park-reduced"


class Pruning:
    """One reducer's look at how old the closed sessions are."""

    def __init__(self, member: Member, archive: Archive) -> None:
        self._member = member
        self._archive = archive
        self._due = float("-inf")
        self._asked: set[str] = set()

    def step(self) -> bool:
        """Ask for the deletion of some sessions that were closed too long ago; return whether there were any."""
        keep, now = self._member.config.keep_days, self._member.monotonic()
        if keep is None or now < self._due:
            return False
        old = [sid for sid in self._archive.closed_before(self._member.wall() - keep * DAY) if sid not in self._asked]
        if not old:
            self._due = now + EVERY
            self._asked.clear()  # what could not be done now is asked again then
        for sid in old[:MOST]:
            self._ask(sid, keep)
        return bool(old)

    def _ask(self, sid: str, keep: float) -> None:
        self._asked.add(sid)
        try:
            control_requests.ask(self._member, sid, "delete", WHO, pause=lambda seconds: None)
        except ParkError as error:
            log.warning("session %s, closed more than %g days ago, cannot be deleted now: %s", sid, keep, error)
            return
        log.info("session %s was closed more than %g days ago (keep_days): it is deleted", sid, keep)
