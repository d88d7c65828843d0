"""How long the jobs of each job list take on this node: what spoold sizes the next units by."""

from __future__ import annotations

from dataclasses import dataclass, field

from park_spool.naming import Unit

KEPT = 100  # job lists: a heartbeat stays small


@dataclass(slots=True)
class JobTimes:
    """Seconds a job, by `SID/GROUP/JOBLIST`, the newest last."""

    seconds: dict[str, float] = field(default_factory=dict)

    def learn(self, unit: Unit, elapsed: float) -> bool:
        """Take in what a unit took; return whether that is news: a first time, or one that changed by half."""
        word = _word(unit)
        before, now = self.seconds.pop(word, None), elapsed / unit.size
        self.seconds[word] = now
        while len(self.seconds) > KEPT:
            del self.seconds[next(iter(self.seconds))]
        return before is None or not 0.67 < now / max(before, 1e-9) < 1.5

    def expected(self, unit: Unit) -> float | None:
        """Return how long a unit will take; None if nothing is known of its job list."""
        seconds = self.of_a_job(unit)
        return None if seconds is None else seconds * unit.size

    def of_a_job(self, unit: Unit) -> float | None:
        """Return how long one job of a unit takes; None if nothing is known of its job list."""
        return self.seconds.get(_word(unit))


def _word(unit: Unit) -> str:
    return f"{unit.sid}/{unit.group}/{unit.joblist}"
