"""How far a job says it is: the best reply line that it has printed before its end.

A program's worker tells of it by a message; what a function prints goes to the slot's log, and is read there.
Guarantees: nothing that an earlier job printed is taken for this one's.  What a function printed before the first
question about it does not count, since nobody knows whose it was.
"""

from __future__ import annotations

from park_spool.running.best_line import BestLine
from park_spool.running.child_log import ChildLog


class Said:
    """What the job that runs now has said."""

    def __init__(self) -> None:
        self._job, self._mark = 0, 0
        self._best = BestLine()
        self._told: tuple[int, str] | None = None

    def tell(self, message: str) -> None:
        """Take a worker's message: the job, a space, and the line."""
        job, _, line = message.partition(" ")
        if job.isdecimal() and len(job) < 20:  # a job may have written it
            self._told = int(job), line

    def best_of(self, job: int, log: ChildLog) -> str | None:
        """Return the best line of the job that runs now; None while there is none."""
        if job != self._job:
            self._job, self._mark, self._best = job, log.size(), BestLine()
        piece, self._mark = log.read_from(self._mark)
        self._best.feed(piece)
        return self._told[1] if self._told and self._told[0] == job else self._best.line
