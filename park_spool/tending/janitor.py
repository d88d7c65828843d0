"""What nobody else clears (PROTOCOL.md section 9): admissions begun, temporary names, empty ranks, deleted files."""

from __future__ import annotations

from collections.abc import Collection

from park_spool import naming, survey
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
        self._kept_due = 0.0

    def step(self, ranks: Collection[str] = ()) -> list[str]:
        """Clear what is old; return the SIDs whose admission was finished here. `ranks` are those of open sessions."""
        now = self._member.monotonic()
        seen: dict[tuple[str, object], float] = {}
        admitted = [sid for sid in self._admission.unfinished() if self._finish(sid, seen, now)]
        for name in self._member.disk.names(self._member.layout.tmp):
            self._sweep(name, seen, now)
        self._since = seen
        self._tidy_ranks(ranks)
        if now >= self._kept_due:
            self._kept_due = now + TMP_SECONDS
            self._sweep_kept()
        if self._member.config.is_shared:
            self._member.disk.refresh(self._member.layout.inbox)
        return admitted

    def _tidy_ranks(self, used: Collection[str]) -> None:
        """Remove empty ranks that no open session uses, so that an idle node lists nothing below ready/."""
        disk, spool = self._member.disk, self._member.layout
        for rank in survey.ranks(disk, spool):
            # RACE: who wants to put a unit there makes it again.
            is_gone = rank not in used and disk.remove_folder(spool.ready / rank)
            if self._member.config.is_shared and not is_gone:
                disk.refresh(spool.ready / rank)

    def _sweep_kept(self) -> None:
        """Remove what jobs kept after their session was deleted: a node that was cut off may write until it knows."""
        disk, spool = self._member.disk, self._member.layout
        for sid in filter(naming.is_sid, disk.names(spool.folder("files"))):
            if disk.kind(spool.tombstone(sid)) is not None:
                disk.remove_tree(spool.kept(sid))

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
