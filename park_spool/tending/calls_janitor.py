"""What nobody else clears of sessions of calls (PROTOCOL.md section 9): folders without a session, and tombstones.

The tombstone of an executor stands for an hour, so that a slow node knows that nobody waits for its answer; what comes
meanwhile is removed. Looks at every audit, on spoold's own monotonic clock.
"""

from __future__ import annotations

from collections.abc import Collection

from park_spool import naming, survey, tombstones, whereabouts, wishes
from park_spool.member import Member
from park_spool.tending import ending

STONE_SECONDS = 3600.0


class CallsJanitor:
    """Remembers since when it has been seeing a leftover."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._orphans: dict[str, float] = {}
        self._stones: dict[str, float | None] = {}  # None for one that is not of calls

    def step(self) -> None:
        """Remove what has been left over for long enough."""
        self._clear_orphans()
        self._look_for_stones()
        stones = {sid: since for sid, since in self._stones.items() if since is not None}
        if stones:
            self._drop(stones.keys())
        for sid, since in stones.items():
            if self._member.monotonic() - since > STONE_SECONDS:
                self._member.disk.unlink(self._member.layout.tombstone(sid))

    def _clear_orphans(self) -> None:
        """Remove the folders of calls that no session is for: its asker died before it sent it, or it was rejected."""
        disk, spool, now = self._member.disk, self._member.layout, self._member.monotonic()
        names = [sid for sid in disk.names(spool.folder("calls")) if naming.is_sid(sid)]
        places = whereabouts.places(disk, spool) if names else {}
        orphans = [sid for sid in names if places.get(sid) not in ("inbox", "admitting", "open")]
        self._orphans = {sid: self._orphans.get(sid, now) for sid in orphans}
        for sid, since in self._orphans.items():
            if now - since > self._member.config.claim_expiry:
                disk.remove_tree(spool.calls(sid))

    def _look_for_stones(self) -> None:
        disk, spool, now = self._member.disk, self._member.layout, self._member.monotonic()
        found = {sid for sid in map(wishes.parse_tombstone, disk.names(spool.closed)) if sid is not None}
        known = {sid: since for sid, since in self._stones.items() if sid in found}
        self._stones = known | {
            sid: now if tombstones.is_of_calls(disk, spool, sid) else None for sid in sorted(found - known.keys())
        }

    def _drop(self, sids: Collection[str]) -> None:
        """Remove the replies and the units of sessions that are over."""
        disk, spool = self._member.disk, self._member.layout
        seen = survey.look(disk, spool)
        for node, unit in seen.replied:
            if unit.sid in sids:
                disk.unlink(spool.replies / naming.reply_name(unit, node))
        ending.withdraw(self._member, lambda sid: sid in sids)
