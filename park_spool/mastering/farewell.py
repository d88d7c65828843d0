"""Telling nodes to stop until none of them lives: a notice `notices/NODE.stop` for each name that is seen.

A node that was fenced before it heard comes back under a new name, and one that crashed is started again by its keeper:
so whoever wants them gone looks until none is left, and tells each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from park_spool import notices
from park_spool.mastering import living
from park_spool.mastering.living import Live
from park_spool.member import Member
from park_spool.nodes import Nodes


@dataclass(slots=True)
class Farewell:
    """The nodes that are meant to go: all that `is_meant` says of, whenever they are seen."""

    member: Member
    nodes: Nodes
    is_meant: Callable[[Live], bool]
    told: dict[str, Live] = field(default_factory=dict)

    def step(self) -> list[Live]:
        """Look, tell those that were not told, and return those that still live."""
        self.nodes.look()
        left = [one for one in living.nodes(self.nodes) if self.is_meant(one)]
        for one in left:
            if one.node not in self.told:
                notices.say(self.member, one.node, "stop")
                self.told[one.node] = one
        return left


UNHEARD = "was being started, and was not heard of yet; `park down` stops it, or it ends when it has lingered"


def silent(live: Live) -> str:
    """Say that a node was not seen to end."""
    return (
        f"{live.alias or live.node}: {live.node} did not answer within the time; it leaves when it reads the notice, "
        f"or is dead: `park down` waits for it"
    )


def latency(member: Member) -> float:
    """Return how long it may take until a node has read a notice: at once on a local disk, else at a heartbeat."""
    config = member.config
    return config.claim_expiry - config.unit_lifetime if config.is_shared else config.heartbeat_seconds
