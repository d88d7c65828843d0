"""What is left of those who are not there any more: notices to nodes and masters, and locks of dead masters.

`notices/NODE.VERB`, `locks/master.…` (PROTOCOL.md section 9). Looks at every audit, and removes what it has seen
unchanged for `claim_expiry`, on its own monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from park_spool import leadership, naming, wishes
from park_spool.member import Member
from park_spool.running.staying import MASTER


class Unheard:
    """One spoold's memory of what it has seen addressed to nobody, or held by nobody, and since when."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._since: dict[Path, float] = {}

    def step(self) -> None:
        """Look once. RACE: a master that was only cut off publishes its lock again, under a higher sequence."""
        now = self._member.monotonic()
        seen = {path: self._since.get(path, now) for path in self._left()}
        for path, since in seen.items():
            if now - since > self._member.config.claim_expiry:
                self._member.disk.unlink(path)
        self._since = seen

    def _left(self) -> Iterator[Path]:
        """List all locks of masters, and notices whose node has neither heartbeat nor folder, nor is a candidate."""
        disk, spool = self._member.disk, self._member.layout
        locks = leadership.locks(disk, spool)
        yield from (spool.locks / lock.name for lock in locks if lock.role == MASTER)
        notices = {name: notice[0] for name in disk.names(spool.notices) if (notice := wishes.parse_notice(name))}
        if not notices:
            return
        there = {beat[0] for name in disk.names(spool.nodes) if (beat := naming.parse_heartbeat(name))}
        there |= {name.removesuffix(naming.EXPIRED) for name in disk.names(spool.claimed)}
        there |= {lock.candidate for lock in locks}
        yield from (spool.notices / name for name, node in notices.items() if node not in there)
