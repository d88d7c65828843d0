"""Publishing tallies: what the archive knows as final, for spoold to read (see tallies.py for what is in one)."""

from __future__ import annotations

from collections.abc import Iterable

from park_spool import naming, tallies
from park_spool.archive.writing import Archive
from park_spool.member import Member
from park_spool.reducing.known import Known
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

    def mark(self, sid: str, is_urgent: bool = False) -> None:
        """Note that a session's tally is old; the first one, and an urgent one, is due at once."""
        now = self._member.monotonic()
        due = now if is_urgent else self._last.get(sid, float("-inf")) + self._member.config.tally_seconds
        self._due[sid] = min(due, self._due.get(sid, due))

    def marked(self) -> list[str]:
        return sorted(self._due)

    def due(self) -> list[str]:
        now = self._member.monotonic()
        return sorted(sid for sid, due in self._due.items() if due <= now)

    def publish(self, known: Known, names: Iterable[str]) -> None:
        """Publish what the archive knows of an open session, then remove the tallies that this one replaces.

        `names` are those in its folder, none if it is closed: nobody asks any more then.
        """
        sid = known.sid
        self._due.pop(sid, None)
        self._last[sid] = self._member.monotonic()
        if not names:
            return
        folder = self._member.layout.session(sid)
        final, failures = self._archive.final_jobs(sid), self._archive.failures(sid)
        tally = Tally(final, failures, round=known.retries.highest, reduced=known.reduced)
        self._seq[sid] = self._seq.get(sid, 0) + 1
        try:
            self._member.disk.publish(
                folder / naming.tally_name(self._member.name, self._seq[sid]), tallies.encode(tally)
            )
        except FileNotFoundError:
            return  # RACE: closed between the look and the rename
        for name in names:
            if self._is_replaced(known, name, tally):
                self._member.disk.unlink(folder / name)

    def forget(self, sid: str) -> None:
        """Owe no tally of a session that is not there any more."""
        self._due.pop(sid, None)

    def _is_replaced(self, known: Known, name: str, own: Tally) -> bool:
        parsed = naming.parse_tally(name)
        if parsed is None:
            return False
        if parsed[0] == self._member.name:
            return parsed[1] < self._seq[known.sid]
        other = tallies.read_one(self._member.disk, self._member.layout.session(known.sid) / name)
        return other is not None and other.known_to(known.retries).is_within(own)
