"""Offering: from pending ranges to claimable names in ready/, never more than the window (PROTOCOL.md section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from park_spool.cluster import Cluster
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.survey import parsed
from park_spool.tending import planning
from park_spool.tending.open_sessions import OpenSession
from park_spool.tending.planning import Pending


class Offering:
    """One spoold's hands on ready/."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def step(self, sessions: Sequence[OpenSession], cluster: Cluster) -> bool:
        """Fill the window of each rank; return whether anything was offered."""
        waiting = sorted((item for session in sessions for item in session.waiting), key=lambda item: item.rank)
        if not waiting or self._is_choked():
            return False
        by_sid = {session.admitted.sid: session for session in sessions}
        chosen = [
            (rank, unit)
            for rank, items in groupby(waiting, key=lambda item: item.rank)
            for unit in self._choose(rank, list(items), by_sid, cluster)
        ]
        for rank, unit in chosen:
            self._offer(rank, unit)
            by_sid[unit.sid].offered(unit)
        return bool(chosen)

    def _is_choked(self) -> bool:
        """Say whether so many replies wait for the reducer that offering more would only fill the folder."""
        return len(self._member.disk.names(self._member.layout.replies)) > self._member.config.max_replies

    def _choose(
        self, rank: str, items: list[Pending], sessions: dict[str, OpenSession], cluster: Cluster
    ) -> list[Unit]:
        names = self._member.disk.names(self._member.layout.ready / rank)
        room = planning.window(cluster, self._member.config) - len(names)
        users = {sid: session.admitted.user for sid, session in sessions.items()}
        left: dict[tuple[str, int, int], int] = {}

        def size_of(unit: Unit) -> int:
            if unit.attempt or unit.round:
                return 1
            key = (unit.sid, *unit.key)
            pending = (one.size for one in sessions[unit.sid].pending if one.key == unit.key)
            remaining = left[key] if key in left else sum(pending)
            size = planning.unit_size(cluster.job_seconds.get(key), remaining, cluster, self._member.config)
            left[key] = remaining - min(size, unit.size)
            return size

        return planning.choose(items, parsed(names), users, room, size_of)

    def _offer(self, rank: str, unit: Unit) -> None:
        folder = self._member.layout.ready / rank
        try:
            self._member.disk.create(folder / unit.name)  # at this instant the unit is claimable
        except FileNotFoundError:
            self._member.disk.make_folder(folder)
            self._member.disk.create(folder / unit.name)
