"""What is known of a crew's pilots, from the batch system and from their nodes' heartbeats, and how often they failed.

    queued ─▶ running ─▶ working (a node of it was heard) ─▶ leaving (it is heard no more) ─▶ over
                 └─────▶ late: no node for START_SECONDS

Pure. A pilot that is over before any of its nodes was heard has failed: the next one is tried later and later.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from park_spool.pilots.engines import OVER, QUEUED, RUNNING

WORKING, LEAVING = "working", "leaving"
# Parsl's words for jobs that the batch system, or people through it, have ended: cancelled, preempted, out of time.
FROM_OUTSIDE = frozenset({"cancelled", "timeout"})


def backoff(failures: int) -> float:
    """Return how long to wait after so many failures in a row, in s.

    >>> [backoff(count) for count in (0, 1, 2, 3, 100)]
    [0.0, 5.0, 10.0, 20.0, 300.0]
    """
    return float(min(300.0, 5.0 * 2 ** (min(failures, 20) - 1))) if failures else 0.0


@dataclass(slots=True)
class Fates:
    """Times on the master's own clock; `due` is when the next pilot may be submitted."""

    START_SECONDS: ClassVar[float] = 300.0

    due: float = -inf
    _failures: int = 0
    _words: dict[str, str] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)  # first seen running
    _heard: set[str] = field(default_factory=set)
    _live: set[str] = field(default_factory=set)
    _over: set[str] = field(default_factory=set)

    @property
    def is_well(self) -> bool:
        return not self._failures

    def note_nodes(self, jobs: Collection[str]) -> bool:
        """Note in which jobs nodes live; return whether one has none any more."""
        has_left = bool(self._live - set(jobs))
        if set(jobs) - self._heard - self._over:
            self._failures, self.due = 0, -inf
        self._live = set(jobs)
        self._heard |= self._live
        return has_left

    def note(self, job: str, word: str, now: float) -> bool:
        """Note what the batch system calls a job; return whether it is over, and failed."""
        is_new = job not in self._words
        self._words[job] = word
        if word == RUNNING:
            self._since.setdefault(job, now)
        if word != OVER:
            return False
        self._over.add(job)
        # One that was over when it was asked for the first time, by a master that came later, may have worked.
        return job not in self._heard and not is_new

    def submitted(self, job: str) -> None:
        """Note that this process has submitted a job: it waits until somebody says otherwise."""
        self._words[job] = QUEUED

    def cancelled(self, job: str) -> None:
        self._over.add(job)

    def failed(self, now: float) -> None:
        """Note a failure: of a pilot, or of the batch system."""
        self._failures += 1
        self.due = now + backoff(self._failures)

    def place(self, job: str) -> str:
        """Say where a pilot is: QUEUED, RUNNING (without a node so far), WORKING or LEAVING."""
        if job in self._live:
            return WORKING
        if job in self._heard:
            return LEAVING
        return RUNNING if self._words.get(job) == RUNNING else QUEUED

    def is_queued(self, job: str) -> bool:
        """Say whether the batch system says that a job waits."""
        return self._words.get(job) == QUEUED and job not in self._heard

    def is_over(self, job: str) -> bool:
        return job in self._over

    def late(self, now: float) -> list[str]:
        """List the jobs that have run for long without any node."""
        return [
            job for job, since in self._since.items() if job not in self._heard and now - since > self.START_SECONDS
        ]

    def forget_all_but(self, jobs: Collection[str]) -> None:
        """Forget pilots that are no more; those whose nodes' heartbeats still stand are remembered as over."""
        self._words = {job: word for job, word in self._words.items() if job in jobs}
        self._since = {job: since for job, since in self._since.items() if job in jobs}
        self._heard = {job for job in self._heard if job in jobs or job in self._live}
        self._over = {job for job in self._over if job in jobs or job in self._live}
