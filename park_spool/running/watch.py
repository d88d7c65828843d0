"""The node's watch over a warm child: how long it may be silent, and what its job may use meanwhile.

Guarantees: a look at the results file is all that a job costs which ends within half a second; what a child uses is
looked at only then, about twice a second, and only where there is a limit.
Assumes: one line for each job in the results file, so that its size tells one job from the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from park_spool.running.assignment import FETCHING
from park_spool.running.child import Child
from park_spool.running.exceeded import Bounds
from park_spool.running.lookout import passed
from park_spool.running.usage import descendants, usage_of

_EVERY = 0.5  # s
_FETCHING_LIMIT = 86_400.0  # s; whoever fetches gives up by itself long before


class Watch:
    """The bounds of what a child does now, each job's measured from the last result; `wake_at` is the next look."""

    def __init__(self, what: str, bounds: Bounds, wall: Callable[[], float]) -> None:
        self._what, self._bounds, self._wall = what, bounds, wall
        self._is_fetching = False
        self.wake_at: float | None = 0.0
        self.rewind()

    def hear(self, word: str) -> None:
        """Take in what the child says of what it does: fetching data is not the job's time, nor is keeping files."""
        self._is_fetching = word == FETCHING
        self.rewind()

    def rewind(self) -> None:
        """Begin anew: the child has this long again."""
        self._size, self._looked_at = -1, math.nan
        self._since, self._usage_at, self._cpu = 0.0, math.inf, -1.0

    def look(self, child: Child, now: float) -> tuple[str, str] | None:
        """Return the status and the words of a limit that was passed, None if none was."""
        size, written_at = child.written()
        if size != self._size:
            self._note_job(size, now, written_at)
        self._looked_at = now
        if self._is_fetching:
            return self._look_at_fetching(now)
        if now >= self._since + self._bounds.timeout:
            return "timeout", f"the service {self._what} within its limit of {self._bounds.timeout:g} s"
        why = self._look_at_usage(child.pid, now) if now >= self._usage_at else ""
        self.wake_at = min(self._since + self._bounds.timeout, self._usage_at)
        return ("failed", f"it {why}") if why else None

    def _look_at_fetching(self, now: float) -> tuple[str, str] | None:
        self.wake_at = self._since + _FETCHING_LIMIT
        if now < self.wake_at:
            return None
        return "failed", f"the data could not be fetched within {_FETCHING_LIMIT:g} s"

    def _note_job(self, size: int, now: float, written_at: float) -> None:
        # How long ago the last result came is the wall clock's to say, but not to be believed beyond the last look.
        most = 0.0 if math.isnan(self._looked_at) else now - self._looked_at
        self._size, self._cpu = size, -1.0
        self._since = now - min(max(0.0, self._wall() - written_at), most)
        self._usage_at = self._since + _EVERY if self._bounds.needs_looks else math.inf

    def _look_at_usage(self, leader: int, now: float) -> str:
        self._usage_at = now + _EVERY
        if self._cpu < 0.0:  # what jobs before this one used is not this one's
            self._cpu = usage_of([leader, *descendants(leader)]).cpu
        return passed(self._bounds, leader, cpu_before=self._cpu)
