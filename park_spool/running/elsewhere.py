"""Leaving a job that failed here to other nodes for a while: what failed for a reason of this node may succeed there.

Only while there is another node that lives, claims and suits; nobody waits for a node that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from park_spool import tags
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.nodes import Nodes

KEPT = 10_000  # failures that a node remembers

Job = tuple[str, int, int, int]
_OK = b'"status": "ok"'


@dataclass(slots=True)
class Elsewhere:
    """The jobs that failed on this node, and when each was first seen waiting to be tried again."""

    _failed: dict[Job, float | None] = field(default_factory=dict)
    _nodes: Nodes | None = None
    _looked_at: float = 0.0

    def note(self, unit: Unit, lines: Sequence[bytes]) -> None:
        """Remember which jobs of a unit did not end well here."""
        if b"".join(lines).count(_OK) == len(lines):
            return  # nearly always: it must be cheap
        for number, line in enumerate(lines, unit.start):
            if _OK not in line[:60]:
                self._failed[unit.sid, *unit.key, number] = None
        while len(self._failed) > KEPT:
            del self._failed[next(iter(self._failed))]

    def is_for_others(self, member: Member, unit: Unit, tag: str) -> bool:
        """Say whether a waiting unit is to be left alone by this node now."""
        job = (unit.sid, *unit.key, unit.start)
        if not unit.attempt or job not in self._failed:
            return False
        now = member.monotonic()
        since = self._failed[job]
        if since is None:
            since = self._failed[job] = now
        return now - since < member.config.elsewhere_seconds and self._has_others(member, tag, now)

    def _has_others(self, member: Member, tag: str, now: float) -> bool:
        if self._nodes is None or now - self._looked_at >= member.config.heartbeat_seconds:
            self._nodes, self._looked_at = self._nodes or Nodes(member), now
            self._nodes.look()
        others = (node for node in self._nodes.cluster.nodes if node.name != member.name and node.is_claiming)
        return any(tags.suits(tag, node.tags | {tags.COMMAND}) for node in others)
