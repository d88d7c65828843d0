"""A node's heartbeat: `nodes/NODE.SEQ.json`, published under a higher sequence each time, the one before removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from park_spool import naming, sealed
from park_spool.member import Member
from park_spool.nodes import remove_heartbeats

HURRY_SECONDS = 0.2


@dataclass(slots=True)
class Beat:
    """When the last heartbeat of one incarnation was published, and when the next is due."""

    seq: int = 0
    _published: float = 0.0
    _is_hurried: bool = False

    def is_due(self, member: Member) -> bool:
        every = HURRY_SECONDS if self._is_hurried else member.config.heartbeat_seconds
        return not self.seq or self.silence(member) >= every

    def hurry(self) -> None:
        """Publish the next one early: it has something that others wait for."""
        self._is_hurried = True

    def silence(self, member: Member) -> float:
        """Return for how long none was published, on the node's own clock; 0 before the first."""
        return member.monotonic() - self._published if self.seq else 0.0

    def wait_seconds(self, member: Member) -> float:
        every = HURRY_SECONDS if self._is_hurried else member.config.heartbeat_seconds
        return max(0.0, every - self.silence(member)) if self.seq else 0.0

    def publish(self, member: Member, report: dict[str, Any]) -> None:
        folder = member.layout.nodes
        data = sealed.seal_json({**report, "seq": self.seq + 1})
        member.disk.publish(folder / naming.heartbeat_name(member.name, self.seq + 1), data)
        self.seq += 1
        self._published = member.monotonic()
        self._is_hurried = False
        if self.seq > 1:
            member.disk.unlink(folder / naming.heartbeat_name(member.name, self.seq - 1))

    def bury(self, member: Member) -> None:
        """Take one's own heartbeats away: this incarnation is over."""
        remove_heartbeats(member, member.name)
