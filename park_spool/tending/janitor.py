"""What crashes leave behind and nobody else clears (PROTOCOL.md section 9): admissions begun, temporary names."""

from __future__ import annotations

from park_spool import survey
from park_spool.member import Member
from park_spool.tending import inbox
from park_spool.tending.admission import Admission

TMP_SECONDS = 3600.0


class Janitor:
    """Looks at every audit; acts on what it has seen unchanged for long enough, on its own monotonic clock."""

    def __init__(self, member: Member, admission: Admission) -> None:
        self._member = member
        self._admission = admission
        self._since: dict[tuple[str, object], float] = {}

    def step(self) -> list[str]:
        """Clear what is old; return the SIDs whose admission was finished here."""
        now = self._member.monotonic()
        seen: dict[tuple[str, object], float] = {}
        admitted = [sid for sid in self._admission.unfinished() if self._finish(sid, seen, now)]
        for name in self._member.disk.names(self._member.layout.tmp):
            self._sweep(name, seen, now)
        self._since = seen
        if self._member.config.is_shared:
            spool = self._member.layout
            for rank in survey.ranks(self._member.disk, spool):
                self._member.disk.refresh(spool.ready / rank)
            self._member.disk.refresh(spool.inbox)
        return admitted

    def _finish(self, sid: str, seen: dict[tuple[str, object], float], now: float) -> bool:
        key = (sid, "admission")
        seen[key] = self._since.get(key, now)
        # RACE: the spoold that began it may only be slow; both may finish it, one rename wins.
        return now - seen[key] > self._member.config.claim_expiry and self._admission.finish(sid) is not None

    def _sweep(self, name: str, seen: dict[tuple[str, object], float], now: float) -> None:
        path = self._member.layout.tmp / name
        kind = self._member.disk.kind(path)
        key = (name, kind and inbox.signature(self._member.disk, path, kind))
        seen[key] = self._since.get(key, now)
        if now - seen[key] > TMP_SECONDS:
            if kind == "folder":  # a submission that was being copied or unpacked
                self._member.disk.remove_tree(path)
            else:
                self._member.disk.unlink(path)
