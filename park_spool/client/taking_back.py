"""Taking calls back that no node has claimed: whoever wins the unlink in ready/ has the unit.

The cancelled call is forgotten; what else was in its unit is to be offered once more.
"""

from __future__ import annotations

from park_spool import survey
from park_spool.client.book import Book
from park_spool.client.entry import Entry
from park_spool.client.futures import CallFuture
from park_spool.member import Member
from park_spool.naming import Unit


class TakingBack:
    """One asker's hands on what it has offered."""

    def __init__(self, member: Member, entry: Entry, book: Book) -> None:
        self._member, self._entry, self._book = member, entry, book

    def withdraw(self, future: CallFuture) -> bool:
        """Get a call out of ready/; False if a node has it."""
        if self._book.waits_again(future.job):
            return True
        if future.unit is not None and self._unlink(self._entry.rank, future.unit):
            return True
        found = self._found(future.job)
        return found is not None and self._unlink(*found)

    def withdraw_all(self) -> list[CallFuture]:
        """Get all calls out of ready/ that no node has claimed; they are forgotten, and returned."""
        if self._entry.is_admitted:
            for rank, unit in survey.ready(self._member.disk, self._member.layout):
                if unit.sid == self._book.sid:
                    self._unlink(rank, unit)
        jobs = (job for unit in self._book.take_again() for job in range(unit.start, unit.stop))
        return [future for future in map(self._book.pop, jobs) if future is not None]

    def waits(self, future: CallFuture) -> bool:
        """Say whether a call that was offered is in no node's hands."""
        if self._entry.said.is_paused or self._book.waits_again(future.job):
            return True  # of what is paused, the unit may be in spoold's memory alone
        return future.unit is None or self._stands_ready(future.unit) or self._found(future.job) is not None

    def _unlink(self, rank: str, unit: Unit) -> bool:
        is_won = self._member.disk.unlink(self._member.layout.ready / rank / unit.name)
        if is_won:
            self._book.offer_again([(unit.start, unit.stop)], unit.attempt)
        return is_won

    def _found(self, job: int) -> tuple[str, Unit] | None:
        """Find the unit in ready/ that holds a job: a piece of the one that was offered, or under another rank."""
        waiting = survey.ready(self._member.disk, self._member.layout)
        own = (one for one in waiting if one[1].sid == self._book.sid)
        return next((one for one in own if one[1].start <= job < one[1].stop), None)

    def _stands_ready(self, unit: Unit) -> bool:
        path = self._member.layout.ready / self._entry.rank / unit.name
        return self._member.disk.kind(path) is not None
