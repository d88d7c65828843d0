"""The sessions that are open, as spoold remembers them between two audits. Lost with the process, worked out again.

For each: what waits to be offered (`pending`), what its tallies say, and what one look found missing (`suspects`),
so that a second look can agree (PROTOCOL.md section 7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from park_spool import admitted, intervals, layout, tallies
from park_spool.admitted import Admitted
from park_spool.intervals import Intervals
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.tallies import Tally
from park_spool.tending import planning
from park_spool.tending.planning import Pending

Key = tuple[int, int]


@dataclass(slots=True)
class OpenSession:
    """One open session; `due` is the monotonic time of its next audit."""

    admitted: Admitted
    due: float
    pending: list[Unit] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    suspects: dict[Key, Intervals] | None = None
    suspected_at: float = 0.0
    has_news: bool = False
    _tallies_read: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[Key, int]:
        return self.admitted.session.sizes()

    @property
    def waiting(self) -> list[Pending]:
        return [Pending(self.admitted.rank(unit.key), self.admitted.user, unit) for unit in self.pending]

    def pend_all(self) -> None:
        """Offer everything: right only for who admitted the session itself, since nobody can have offered it before."""
        self.pending = planning.missing(self.admitted.sid, self.sizes, {})

    def pend(self, units: list[Unit]) -> None:
        self.pending = sorted([*self.pending, *units])

    def offered(self, unit: Unit) -> None:
        self.pending = planning.without(self.pending, unit)

    def read_tallies(self, member: Member) -> bool:
        """Read the newest tallies; return whether they name other failures than before."""
        folder = member.layout.session(self.admitted.sid)
        before = self.tally
        self.tally = tallies.read(member.disk, folder, self._tallies_read)
        return self.tally.failures != before.failures and any(self.tally.failures.values())

    def last_attempts(self) -> dict[tuple[int, int, int], tuple[int, int]]:
        """Return (group, job list, job) → (round, attempt) of the failures that the tallies name."""
        return {
            (*key, job): (round_, attempt)
            for key, failures in self.tally.failures.items()
            for job, round_, attempt in failures
        }

    def unheld(self, held: dict[Key, Intervals]) -> dict[Key, Intervals]:
        """Return the jobs that are neither held by the spool, nor final, nor pending."""
        missing: dict[Key, Intervals] = {}
        for key, size in self.sizes.items():
            pending = [(unit.start, unit.stop) for unit in self.pending if unit.key == key]
            told = [*self.tally.final.get(key, []), *self.tally.unnamed.get(key, [])]
            known = intervals.union([*held.get(key, []), *told, *pending])
            missing[key] = intervals.subtract([(1, size + 1)], known)
        return {key: pieces for key, pieces in missing.items() if pieces}

    def agree(self, missing: dict[Key, Intervals]) -> list[Unit]:
        """Return what the look before found missing too, as ranges of attempt 0."""
        suspects = self.suspects or {}
        return [
            Unit(self.admitted.sid, *key, start, stop)
            for key, pieces in sorted(missing.items())
            for start, stop in intervals.intersect(suspects.get(key, []), pieces)
        ]


def load(member: Member, sid: str, due: float) -> OpenSession | None:
    """Load an open session from the spool.

    None if it is not there (any more). Raises PermanentError for a broken one.
    """
    data = member.disk.read(layout.session_json(member.layout.session(sid)))
    return None if data is None else OpenSession(admitted.decode(data), due)
