"""The one question that a polite node asks before it claims: does anybody object?

    objection(now) ─▶ None, or why not: "20:00 to 07:00 only", "others use 3.1 of 4 CPUs"

The machine is looked at every few seconds, and only when the node was told to work on an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from park_spool.running.host import Host
from park_spool.running.politeness import Idleness, Manners, hours_words, is_within

SAMPLE_SECONDS = 5.0


@dataclass(slots=True)
class Courtesy:
    """What one node was asked, and what it last saw of its machine."""

    manners: Manners
    host: Host
    wall: Callable[[], float] = time.time
    _idleness: Idleness = field(init=False)
    _sampled: float | None = None
    _said: str | None = None

    def __post_init__(self) -> None:
        self._idleness = Idleness(self.host.cpus)

    def objection(self, now: float) -> str | None:
        """Say why the node is not to work now; None if it may."""
        hours = self.manners.hours
        if hours is not None and not is_within(hours, minute_of_day(self.wall())):
            return f"{hours_words(hours)} only"
        if self.manners.when_idle and (self._sampled is None or now - self._sampled >= SAMPLE_SECONDS):
            self._sampled = now
            self._said = self._idleness.objection(now, self.host.others(now), self.host.untouched(self.wall()))
        return self._said


def minute_of_day(wall: float) -> int:
    """Return the minute of the local day at a Unix time."""
    local = time.localtime(wall)
    return local.tm_hour * 60 + local.tm_min
