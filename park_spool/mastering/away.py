"""`notices/ALIAS.away`: people sent the node of this alias home, and no master starts it until they have it back."""

from __future__ import annotations

from collections.abc import Iterable

from park_spool import notices, wishes
from park_spool.member import Member


def send(member: Member, alias: str) -> bool:
    """Say that a node is to stay away; return whether that is news."""
    # At this create no master starts the node any more.
    return notices.put_up(member, member.layout.notices / wishes.away_name(alias))


def listed(member: Member) -> set[str]:
    """Return the aliases that are to stay away."""
    return among(member.disk.names(member.layout.notices))


def among(names: Iterable[str]) -> set[str]:
    """Return the aliases that are to stay away, by the names in notices/."""
    return {alias for name in names if (alias := wishes.parse_away(name)) is not None}


def take_back(member: Member, aliases: Iterable[str]) -> list[str]:
    """Let masters start these again; return those that were away."""
    # At this unlink the node may be started.
    return [alias for alias in aliases if member.disk.unlink(member.layout.notices / wishes.away_name(alias))]
