"""`nodes/ALIAS.away`: people sent the node of this alias home, and no master starts it until they have it back."""

from __future__ import annotations

import json
from collections.abc import Iterable

from park_spool import control_requests, wishes
from park_spool.member import Member


def send(member: Member, alias: str) -> bool:
    """Say that a node is to stay away; return whether that is news."""
    said = {"by": control_requests.user_name(), "at": member.wall()}
    path = member.layout.nodes / wishes.away_name(alias)
    # At this create no master starts the node any more.
    return member.disk.create(path, json.dumps(said, ensure_ascii=False).encode() + b"\n")


def listed(member: Member) -> set[str]:
    """Return the aliases that are to stay away."""
    return {alias for name in member.disk.names(member.layout.nodes) if (alias := wishes.parse_away(name)) is not None}


def take_back(member: Member, aliases: Iterable[str]) -> list[str]:
    """Let masters start these again; return those that were away."""
    # At this unlink the node may be started.
    return [alias for alias in aliases if member.disk.unlink(member.layout.nodes / wishes.away_name(alias))]
