"""Which calls were sent and have no answer yet, and which of them are to be offered once more. Pure.

add(calls) ─▶ a unit ─▶ pop(job) for each answer ─▶ finished(): what need not lie on the spool any longer
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from park_spool import intervals
from park_spool.client.futures import CallFuture
from park_spool.intervals import Intervals
from park_spool.naming import MOST_CALLS, Unit

KEY = (1, 1)  # the one group and the one job list of a session of calls


@dataclass(slots=True)
class Sent:
    """A payload that lies on the spool: the range of its jobs, and how many of them have no answer yet."""

    start: int
    stop: int
    left: int


@dataclass(slots=True)
class Book:
    """The calls of one executor by number, from 1; `again` are those to be offered once more, at an attempt."""

    sid: str
    calls: dict[int, CallFuture] = field(default_factory=dict)
    made: int = 0
    again: list[Unit] = field(default_factory=list)
    released: list[str] = field(default_factory=list)  # the functions of calls that were taken out
    _sent: dict[int, Sent] = field(default_factory=dict)
    _of: dict[int, Sent] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """Return how many payloads have calls without an answer."""
        return len(self._sent)

    @property
    def room(self) -> int:
        """Return how many numbers are left."""
        return MOST_CALLS - self.made

    def add(self, futures: Sequence[CallFuture]) -> Unit:
        """Give calls their numbers; return the unit that they make."""
        start, stop = self.made + 1, self.made + 1 + len(futures)
        sent = self._sent[start] = Sent(start, stop, len(futures))
        unit = Unit(self.sid, *KEY, start, stop)
        for job, future in enumerate(futures, start):
            future.job, future.unit = job, unit
            self.calls[job], self._of[job] = future, sent
        self.made = stop - 1
        return unit

    def pop(self, job: int) -> CallFuture | None:
        """Take out a call that needs nothing more; None if it was taken out before."""
        future = self.calls.pop(job, None)
        if future is not None:
            self._of.pop(job).left -= 1
            self.released.append(future.function)
        return future

    def finished(self) -> list[Sent]:
        """Return, once, the payloads whose calls are all taken out."""
        done = [sent for sent in self._sent.values() if not sent.left]
        for sent in done:
            del self._sent[sent.start]
        return done

    def offer_again(self, ranges: Iterable[tuple[int, int]], attempt: int = 0) -> None:
        """Have the jobs of some ranges offered once more: those without an answer, each within its payload."""
        for start, stop in intervals.union(ranges):
            for first, last in self._within_payloads(start, stop):
                self.again.append(Unit(self.sid, *KEY, first, last, 0, attempt))

    def _within_payloads(self, start: int, stop: int) -> Iterable[tuple[int, int]]:
        first = start
        while first < stop:
            sent = self._of.get(first)
            last = first + 1
            while sent is not None and last < min(stop, sent.stop) and last in self.calls:
                last += 1
            if sent is not None:
                yield first, last
            first = last

    def take_again(self) -> list[Unit]:
        """Return what is to be offered once more, less what was answered or taken back meanwhile."""
        units, self.again = self.again, []
        held = self.open_jobs()
        return [unit.piece(*piece) for unit in units for piece in intervals.intersect(held, [(unit.start, unit.stop)])]

    def waits_again(self, job: int) -> bool:
        """Say whether a call is among those that are to be offered once more."""
        return any(unit.start <= job < unit.stop for unit in self.again)

    def open_jobs(self) -> Intervals:
        """Return the calls that have no answer yet."""
        return intervals.union((job, job + 1) for job in self.calls)

    def missing(self, held: Intervals) -> Intervals:
        """Return the open calls that neither stand somewhere on the spool, `held`, nor are to be offered once more."""
        known = intervals.union([*held, *((unit.start, unit.stop) for unit in self.again)])
        return intervals.subtract(self.open_jobs(), known)
