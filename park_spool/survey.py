"""One look at where all units stand, in the order in which they move: ready, claimed, replies.

A unit that moves forward during the look is seen at least once. One that moves back (taken back, given back) may be
missed once; that is why a range counts as missing only when two looks agree (PROTOCOL.md section 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from park_spool import intervals, naming
from park_spool.atomic import Disk
from park_spool.intervals import Intervals
from park_spool.layout import Layout
from park_spool.naming import Unit, parse_unit


@dataclass(frozen=True, slots=True)
class Survey:
    """Units by place; `claimed` counts those in `.expired` folders too, since they are on their way back."""

    ready: tuple[tuple[str, Unit], ...]
    claimed: tuple[tuple[str, Unit], ...]
    replied: tuple[tuple[str, Unit], ...]

    def held(self, sid: str) -> dict[tuple[int, int], Intervals]:
        """Return, for each (group, job list) of a session, the jobs that stand somewhere."""
        found: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for _, unit in (*self.ready, *self.claimed, *self.replied):
            if unit.sid == sid:
                found.setdefault(unit.key, []).append((unit.start, unit.stop))
        return {key: intervals.union(pieces) for key, pieces in found.items()}

    def sids(self) -> set[str]:
        """Return the sessions of which something stands anywhere."""
        return {unit.sid for _, unit in (*self.ready, *self.claimed, *self.replied)}


def look(disk: Disk, spool: Layout) -> Survey:
    """List the three places once, in the order of movement."""
    waiting = ready(disk, spool)
    claimed = tuple(
        (holder, unit) for holder in disk.names(spool.claimed) for unit in parsed(disk.names(spool.claimed / holder))
    )
    replies = (naming.parse_reply(name) for name in disk.names(spool.replies))
    return Survey(waiting, claimed, tuple((reply[1], reply[0]) for reply in replies if reply is not None))


def ready(disk: Disk, spool: Layout) -> tuple[tuple[str, Unit], ...]:
    """List the units that wait, with their ranks, in the order of service."""
    return tuple((rank, unit) for rank in ranks(disk, spool) for unit in parsed(disk.names(spool.ready / rank)))


def ranks(disk: Disk, spool: Layout) -> list[str]:
    """List the rank folders in the order of service."""
    return [name for name in disk.names(spool.ready) if naming.is_rank(name)]


def parsed(names: Iterable[str]) -> Iterable[Unit]:
    """Read the names that are units; others are skipped, never guessed."""
    return (unit for unit in map(parse_unit, names) if unit is not None)
