"""Offering a unit that runs far too long a second time, and withdrawing it when its jobs are final after all.

stragglers.py decides which; what was offered again is remembered in the session, so that it happens once.
"""

from __future__ import annotations

import logging

from park_spool import naming, survey
from park_spool.cluster import Cluster
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.tending import stragglers
from park_spool.tending.offering import offer
from park_spool.tending.open_sessions import OpenSession

log = logging.getLogger(__name__)


class Repeating:
    """One spoold's second offers; `sessions` is the memory that all its parts share."""

    def __init__(self, member: Member, sessions: dict[str, OpenSession]) -> None:
        self._member = member
        self._sessions = sessions

    def step(self, cluster: Cluster) -> bool:
        """Withdraw what is not needed any more, and offer what is late; return whether anything was offered."""
        for opened in self._sessions.values():
            for unit in [unit for unit in opened.again if opened.is_final(unit)]:
                self._withdraw(opened, unit)
        late = [(node, unit) for node, unit in stragglers.overdue(cluster, self._member.config) if self._is_last(unit)]
        if not late:
            return False
        waiting = {naming.rank_tag(rank) for rank, _ in survey.ready(self._member.disk, self._member.layout)}
        chosen = stragglers.second_offers(late, cluster, waiting, self._tag)
        offered = [self._offer(self._sessions[unit.sid], unit) for unit in chosen]
        return any(offered)

    def _is_last(self, unit: Unit) -> bool:
        """Say whether nothing of a unit's session can be offered, so that only what runs holds it up."""
        opened = self._sessions.get(unit.sid)
        if opened is None or opened.startable or not opened.is_flowing or not opened.admitted.has(unit):
            return False
        return unit not in opened.again and not opened.is_final(unit)

    def _tag(self, unit: Unit) -> str:
        return self._sessions[unit.sid].admitted.tag(unit.group)

    def _offer(self, opened: OpenSession, unit: Unit) -> bool:
        if not opened.listen(self._member) or not opened.is_flowing:
            return False
        log.info("unit %s runs far too long: it is offered a second time", unit.name)
        opened.again.add(unit)
        return offer(self._member, opened.admitted.rank(unit.key), unit)

    def _withdraw(self, opened: OpenSession, unit: Unit) -> None:
        rank = self._member.layout.ready / opened.admitted.rank(unit.key)
        self._member.disk.unlink(rank / unit.name)
        opened.again.discard(unit)
