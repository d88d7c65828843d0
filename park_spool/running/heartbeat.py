"""A node's heartbeat: `nodes/NODE.SEQ.json`, published under a higher sequence each time, the one before removed."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from park_spool import naming, sealed
from park_spool.member import Member
from park_spool.nodes import remove_heartbeats

HURRY_SECONDS = 0.2  # for what spoold waits for
PROGRESS_SECONDS = 1.5  # for what people watch
IDLE_FACTOR = 2.5  # NFS: a node that has nothing to do on a shared file system spares it what nobody waits for


@dataclass(slots=True)
class Beat:
    """When the last heartbeat of one incarnation was published, and when the next is due."""

    seq: int = 0
    is_idle: bool = False
    _published: float = 0.0
    _hurry: float = inf

    def _every(self, member: Member) -> float:
        ordinary = member.config.heartbeat_seconds
        if self.is_idle and member.config.is_shared:
            # Else others could take it for dead: claim_expiry is more than unit_lifetime and a heartbeat.
            ordinary = min(IDLE_FACTOR * ordinary, member.config.claim_expiry - member.config.unit_lifetime)
        return min(ordinary, self._hurry)

    def is_due(self, member: Member) -> bool:
        return not self.seq or self.silence(member) >= self._every(member)

    def hurry(self, seconds: float = HURRY_SECONDS) -> None:
        """Publish the next one early: it has something that others wait for."""
        self._hurry = min(self._hurry, seconds)

    def silence(self, member: Member) -> float:
        """Return for how long none was published, on the node's own clock; 0 before the first."""
        return member.monotonic() - self._published if self.seq else 0.0

    def wait_seconds(self, member: Member) -> float:
        return max(0.0, self._every(member) - self.silence(member)) if self.seq else 0.0

    def publish(self, member: Member, report: dict[str, Any]) -> None:
        folder = member.layout.nodes
        data = sealed.seal_json({**report, "seq": self.seq + 1})
        member.disk.publish(folder / naming.heartbeat_name(member.name, self.seq + 1), data)
        self.seq += 1
        self._published = member.monotonic()
        self._hurry = inf
        if self.seq > 1:
            member.disk.unlink(folder / naming.heartbeat_name(member.name, self.seq - 1))

    def bury(self, member: Member) -> None:
        """Take one's own heartbeats away: this incarnation is over."""
        remove_heartbeats(member, member.name)
