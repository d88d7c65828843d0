"""Claiming: for all free slots from one listing, the highest rank first, first in first out within it (nearly)."""

from __future__ import annotations

import zlib

from park_spool import survey
from park_spool.member import Member
from park_spool.naming import Unit

MIN_TRIES = 8


def claim(member: Member, wanted: int) -> list[tuple[str, Unit]]:
    """Claim up to `wanted` units; return them with the ranks that they came from."""
    won: list[tuple[str, Unit]] = []
    for rank in survey.ranks(member.disk, member.layout):
        if len(won) < wanted:
            won += [(rank, unit) for unit in _claim_rank(member, rank, wanted - len(won))]
    return won


def _claim_rank(member: Member, rank: str, wanted: int) -> list[Unit]:
    """Claim from one rank folder until enough is won, nothing is left, or half of the tries were lost."""
    folder, claims = member.layout.ready / rank, member.layout.claims(member.name)
    units = list(survey.parsed(member.disk.names(folder)))
    won: list[Unit] = []
    lost = 0
    while units and len(won) < wanted and lost * 2 <= max(lost + len(won), MIN_TRIES):
        # RACE: who loses a try goes on at a place of its own, so that nodes do not all meet at the front.
        unit = units.pop(zlib.crc32(member.name.encode()) % len(units) if lost else 0)
        # At this instant the unit is claimed.
        if member.disk.move(folder / unit.name, claims / unit.name):
            won.append(unit)
        else:
            lost += 1
    return won
