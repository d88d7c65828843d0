"""Offering: from pending ranges to claimable names in ready/, never more than the window (PROTOCOL.md section 6).

Immediately before it offers units of a session it lists the session's folder: what was cancelled, paused or moved to
another rank since the last look is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from park_spool import naming
from park_spool.cluster import Cluster
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.survey import parsed
from park_spool.tending import planning
from park_spool.tending.open_sessions import OpenSession
from park_spool.tending.planning import Pending

TRIES = 5


class Offering:
    """One spoold's hands on ready/."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def step(self, sessions: Sequence[OpenSession], cluster: Cluster) -> bool:
        """Fill the window of each rank; return whether anything was offered."""
        waiting = sorted((item for session in sessions for item in session.waiting), key=lambda item: item.rank)
        if not waiting or self._is_choked():
            return False
        by_sid = {session.sid: session for session in sessions}
        chosen = [
            (rank, unit)
            for rank, items in groupby(waiting, key=lambda item: item.rank)
            for unit in self._choose(rank, list(items), by_sid, cluster)
        ]
        as_known = {sid for sid in sorted({unit.sid for _, unit in chosen}) if self._is_as_known(by_sid[sid])}
        offered = [self._offer(by_sid[unit.sid], rank, unit) for rank, unit in chosen if unit.sid in as_known]
        return any(offered)

    def _is_choked(self) -> bool:
        """Say whether so many replies wait for the reducer that offering more would only fill the folder."""
        return len(self._member.disk.names(self._member.layout.replies)) > self._member.config.max_replies

    def _is_as_known(self, opened: OpenSession) -> bool:
        """Look whether a session is open, and nothing new was said of it since its units were chosen."""
        before = opened.controls, opened.retries
        return bool(opened.listen(self._member)) and before == (opened.controls, opened.retries)

    def _offer(self, opened: OpenSession, rank: str, unit: Unit) -> bool:
        is_offered = offer(self._member, rank, unit)
        if is_offered:
            opened.offered(unit)
        return is_offered

    def _choose(
        self, rank: str, items: list[Pending], sessions: dict[str, OpenSession], cluster: Cluster
    ) -> list[Unit]:
        names = self._member.disk.names(self._member.layout.ready / rank)
        config, cpus = self._member.config, cluster.cpus_for(naming.rank_tag(rank))
        room = planning.window(cpus, config) - len(names)
        wanted = planning.unit_seconds(cluster.cpus, config)
        users = {sid: session.admitted.user for sid, session in sessions.items()}
        left: dict[tuple[str, int, int], int] = {}

        def size_of(unit: Unit) -> int:
            if unit.attempt:
                return 1
            key = (unit.sid, *unit.key)
            pending = (one.size for one in sessions[unit.sid].pending if one.key == unit.key)
            remaining = left[key] if key in left else sum(pending)
            size = planning.unit_size(cluster.job_seconds.get(key), remaining, cpus, wanted, config)
            left[key] = remaining - min(size, unit.size)
            return size

        return planning.choose(items, parsed(names), users, room, size_of)


def offer(member: Member, rank: str, unit: Unit) -> bool:
    """Create a unit's name under its rank; False if the rank folder went as often as it was made."""
    folder = member.layout.ready / rank
    for _ in range(TRIES):
        try:
            member.disk.create(folder / unit.name)  # at this instant the unit is claimable
        except FileNotFoundError:
            member.disk.make_folder(folder)  # RACE: a janitor may remove it again while it is empty
        else:
            return True
    return False
