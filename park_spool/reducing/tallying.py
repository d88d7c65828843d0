"""Publishing tallies: what the archive knows as final, for spoold to read (see tallies.py for what is in one)."""

from __future__ import annotations

from park_spool import naming, tallies
from park_spool.archive.writing import Archive
from park_spool.member import Member
from park_spool.tallies import Tally


class Tallying:
    """One reducer's tallies.

    A tally is due `tally_seconds` after the last of its session, at once when the session is complete.
    """

    def __init__(self, member: Member, archive: Archive) -> None:
        self._member = member
        self._archive = archive
        self._seq: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def mark(self, sid: str, is_complete: bool = False) -> None:
        """Note that a session's tally is old; the first one, and that of a complete session, is due at once."""
        now = self._member.monotonic()
        due = now if is_complete else self._last.get(sid, float("-inf")) + self._member.config.tally_seconds
        self._due[sid] = min(due, self._due.get(sid, due))

    def marked(self) -> list[str]:
        return sorted(self._due)

    def due(self) -> list[str]:
        now = self._member.monotonic()
        return sorted(sid for sid, due in self._due.items() if due <= now)

    def publish(self, sid: str) -> None:
        """Publish what the archive knows of an open session, then remove the tallies that this one replaces."""
        self._due.pop(sid, None)
        self._last[sid] = self._member.monotonic()
        folder = self._member.layout.session(sid)
        names = self._member.disk.names(folder)
        if not names:
            return  # closed: nobody asks any more
        tally = Tally(self._archive.final_jobs(sid), self._archive.failures(sid))
        self._seq[sid] = self._seq.get(sid, 0) + 1
        try:
            self._member.disk.publish(
                folder / naming.tally_name(self._member.name, self._seq[sid]), tallies.encode(tally)
            )
        except FileNotFoundError:
            return  # RACE: closed between the look and the rename
        for name in names:
            if self._is_replaced(sid, name, tally):
                self._member.disk.unlink(folder / name)

    def _is_replaced(self, sid: str, name: str, own: Tally) -> bool:
        parsed = naming.parse_tally(name)
        if parsed is None:
            return False
        if parsed[0] == self._member.name:
            return parsed[1] < self._seq[sid]
        other = tallies.read_one(self._member.disk, self._member.layout.session(sid) / name)
        return other is not None and other.is_within(own)
