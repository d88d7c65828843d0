"""The sessions that are open, as spoold remembers them between two audits. Lost with the process, worked out again.

For each: what waits to be offered (`pending`), what its tallies say, what users have said of it since it was sent,
which start values stand, and what one look found missing (`suspects`), so that a second look can agree (PROTOCOL.md
section 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from park_spool import admitted, controls, intervals, layout, retries, starts, tallies, wishes
from park_spool.admitted import Admitted
from park_spool.controls import Controls
from park_spool.intervals import Intervals
from park_spool.member import Member
from park_spool.naming import Start, Unit
from park_spool.retries import Retries
from park_spool.starts import Waits
from park_spool.tallies import Tally
from park_spool.tending import planning
from park_spool.tending.planning import Pending

Key = tuple[int, int]


@dataclass(slots=True)
class OpenSession:
    """One open session, `admitted` with the priority that counts now; `due` is the monotonic time of its next audit.

    `again`: the units that were offered a second time; `quiet_since`: when a cancelled one was first seen nowhere.
    """

    admitted: Admitted
    due: float
    pending: list[Unit] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    suspects: dict[Key, Intervals] | None = None
    suspected_at: float = 0.0
    has_news: bool = False
    controls: Controls = field(default_factory=Controls)
    retries: Retries = field(default_factory=Retries)
    again: set[Unit] = field(default_factory=set)
    quiet_since: float | None = None
    is_misplaced: bool = False
    starts: frozenset[Start] = frozenset()
    waits: Waits = field(init=False)
    _said: set[str] = field(default_factory=set)
    _own: Admitted = field(init=False)
    _retries_read: dict[str, dict[Key, Intervals]] = field(default_factory=dict)
    _tallies_read: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._own = self.admitted
        self.waits = starts.waits_of(self.admitted.session)

    @property
    def sid(self) -> str:
        return self.admitted.sid

    @property
    def sizes(self) -> dict[Key, int]:
        return self.admitted.session.sizes()

    # what users say

    def listen(self, member: Member) -> list[str]:
        """List the session's folder and take in what was said there; no name means that it is not open any more."""
        folder = member.layout.session(self.sid)
        names = member.disk.names(folder)
        said = wishes_in(names)
        if names and self.waits:
            self.starts = starts.starts_in(names)
        if not said <= self._said or self._unread:
            self._said |= said  # nothing that was said is ever removed: a stale listing takes nothing back
            self._obey(controls.read(self._said))
            self._reopen(retries.read(member.disk, folder, self._said, self._retries_read))
        return names

    @property
    def _unread(self) -> bool:
        """Whether a retry is listed and cannot be read yet. NFS: a name looked up too early stays missing a while."""
        return any(name not in self._retries_read for name in retries.names_of(self._said))

    def _obey(self, now: Controls) -> None:
        before, self.controls = self.controls, now
        self.admitted = self._own.with_priority(now.priority)
        self.is_misplaced = self.is_misplaced or now.priority != before.priority
        if now.is_stopped:
            self.pending = []

    def _reopen(self, now: Retries) -> None:
        if now != self.retries:
            self.retries, self.has_news = now, True
            self.pending = planning.still_wanted(self.pending, now)

    def has_heard(self, names: Iterable[str]) -> bool:
        """Say whether all that was said in a session's folder is known here."""
        return wishes_in(names) <= self._said

    @property
    def is_flowing(self) -> bool:
        """Whether its units may be offered."""
        return not (self.controls.is_stopped or self.controls.is_paused)

    # what is to be offered

    @property
    def waiting(self) -> list[Pending]:
        """Return what may be offered now of what pends."""
        return [Pending(self.admitted.rank(unit.key), self.admitted.user, unit) for unit in self.startable]

    @property
    def startable(self) -> list[Unit]:
        """Return the same without rank and user."""
        if not self.is_flowing:
            return []
        if not self.waits:
            return self.pending
        # RACE: the start of a step goes when it is final, and a listing may be older than a tally.
        return [unit for unit in self.waits.startable(self.pending, self.starts) if not self.is_final(unit)]

    def has_lost_start(self, unit: Unit) -> bool:
        """Say whether a unit is not to be run yet after all: a retry names the step before it."""
        return not any(self.waits.startable([unit], self.starts))

    @property
    def is_stepping(self) -> bool:
        """Whether a step may come at any moment: as soon as the one before it has ended."""
        steps = (unit for unit in self.pending if unit.key in self.waits.lists)
        return self.is_flowing and any(self.waits.is_begun(unit.group, self.starts) for unit in steps)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of it was ever offered: all its groups wait for a start."""
        return not self.starts and len(self.waits.groups) == len(self.admitted.session.groups)

    def pend_all(self) -> None:
        """Offer everything: right only for who admitted the session itself, since nobody can have offered it before."""
        self.pending = planning.missing(self.sid, self.sizes, {})

    def pend(self, units: Iterable[Unit]) -> None:
        """Have units offered; of what was cancelled, or is named in a later round, nothing."""
        if not self.controls.is_stopped:
            self.pending = sorted([*self.pending, *planning.still_wanted(units, self.retries)])

    def offered(self, unit: Unit) -> None:
        self.pending = planning.without(self.pending, unit)

    def ranks(self) -> set[str]:
        """Return the rank folders that its units may stand in."""
        return {self.admitted.rank(key) for key in self.sizes}

    # what the spool says

    def look(self, member: Member) -> bool:
        """Take in what users and reducers say, from one listing; return whether it is still open."""
        names = self.listen(member)
        if names:
            before = self.tally.failures
            folder = member.layout.session(self.sid)
            self.tally = tallies.read(member.disk, folder, self._tallies_read, self.retries, names)
            is_news = self.tally.failures != before and any(self.tally.failures.values())
            self.has_news = self.has_news or is_news
        return bool(names)

    def is_complete(self) -> bool:
        """Say whether all jobs are final, by tallies that know every retry, and every wish to reduce again."""
        return self.tally.covers(self.sizes) and not self._unread and self.is_reduced

    @property
    def is_reduced(self) -> bool:
        """Whether reducers have run again as often as was wished."""
        return all(wish.seq <= self.tally.reduced for wish in controls.reductions(self._said))

    def is_final(self, unit: Unit) -> bool:
        """Say whether all jobs of a unit are final."""
        return intervals.holds(self.tally.final.get(unit.key, []), unit.start, unit.stop)

    def last_attempts(self) -> dict[tuple[int, int, int], tuple[int, int]]:
        """Return (group, job list, job) → (round, attempt) of the failures that the tallies name."""
        return {
            (*key, job): (round_, attempt)
            for key, failures in self.tally.failures.items()
            for job, round_, attempt in failures
        }

    def unheld(self, held: dict[Key, Intervals]) -> dict[Key, Intervals]:
        """Return the jobs that are neither held by the spool, nor final, nor pending; none once it was cancelled."""
        missing: dict[Key, Intervals] = {}
        for key, size in {} if self.controls.is_stopped else self.sizes.items():
            pending = [(unit.start, unit.stop) for unit in self.pending if unit.key == key]
            told = [*self.tally.final.get(key, []), *self.tally.unnamed.get(key, [])]
            known = intervals.union([*held.get(key, []), *told, *pending])
            missing[key] = intervals.subtract([(1, size + 1)], known)
        return {key: pieces for key, pieces in missing.items() if pieces}

    def agree(self, missing: dict[Key, Intervals]) -> list[Unit]:
        """Return what the look before found missing too, as ranges of attempt 0."""
        suspects = self.suspects or {}
        return [
            Unit(self.sid, *key, start, stop)
            for key, pieces in sorted(missing.items())
            for start, stop in intervals.intersect(suspects.get(key, []), pieces)
        ]


def wishes_in(names: Iterable[str]) -> set[str]:
    """Return those of the names in a session's folder that say what users want."""
    return {name for name in names if wishes.parse_control(name) or wishes.parse_retry(name) is not None}


def load(member: Member, sid: str, due: float) -> OpenSession | None:
    """Load an open session from the spool.

    None if it is not there (any more). Raises PermanentError for a broken one.
    """
    data = member.disk.read(layout.session_json(member.layout.session(sid)))
    return None if data is None else OpenSession(admitted.decode(data), due)
