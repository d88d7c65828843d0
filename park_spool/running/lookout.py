"""What is looked at now and then while a program runs: what its family uses, and how far it says it is.

Guarantees: a program that runs for less than half a second is never looked at, and one without limits and without
anybody to tell not at all.
Assumes: this process has no other descendants than the program's (a worker is a reaper: daemons come back to it).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from park_spool.limits import Limits
from park_spool.running.best_line import BestLine
from park_spool.running.exceeded import Bounds
from park_spool.running.usage import descendants, exact_memory, usage_of

_USAGE_EVERY = 0.5  # s
_PROGRESS_EVERY = 1.0  # s


class Lookout:
    """Look at one program; `next_at` is when, on the clock that gave `started`."""

    def __init__(self, limits: Limits, tell: Callable[[str], None] | None, started: float) -> None:
        self._bounds = Bounds(limits.timeout, limits.cpu, limits.memory)
        self._tell = tell
        self._best = BestLine()
        self._read = 0  # pieces of the output
        self._usage_at = started + _USAGE_EVERY if self._bounds.needs_looks else math.inf
        self._progress_at = started + _PROGRESS_EVERY if tell else math.inf
        self.next_at = min(self._usage_at, self._progress_at)

    def look(self, now: float, output: Sequence[bytes]) -> str:
        """Do what is due; return in words which limit was passed, empty if none was."""
        why = ""
        if now >= self._usage_at:
            why = passed(self._bounds, os.getpid(), itself=False)
            self._usage_at = now + _USAGE_EVERY
        if now >= self._progress_at:
            self._look_at_output(output)
            self._progress_at = now + _PROGRESS_EVERY
        self.next_at = min(self._usage_at, self._progress_at)
        return why

    def _look_at_output(self, output: Sequence[bytes]) -> None:
        pieces, self._read = output[self._read :], len(output)
        if self._tell and self._best.feed(b"".join(pieces)) and self._best.line:
            self._tell(self._best.line)


def passed(bounds: Bounds, leader: int, itself: bool = True, cpu_before: float = 0.0) -> str:
    """Say which limit the family of a process has passed; `itself` counts too, processor time since `cpu_before`."""
    pids = [*descendants(leader), *([leader] if itself else [])]
    used = usage_of(pids)
    if bounds.memory is not None and used.memory > bounds.memory and used.count > 1:
        exact = exact_memory(pids)
        used = used if exact is None else replace(used, memory=exact)
    return bounds.passed_by(replace(used, cpu=used.cpu - cpu_before))
