"""How long a node stays: without work, without a master, and until its batch job ends. It outlives the node's names.

    linger    no unit in hand, and no master's lock that moved, for so long ─▶ leave
    idle      no unit in hand for so long, whoever lives                    ─▶ leave
    lifetime  so long after the start it is to be gone: nothing more is claimed `margin` before

All on the node's own clock. A lock that is seen for the first time counts as moved, so one left behind counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from park_spool import leadership
from park_spool.member import Member
from park_spool.sightings import Sightings
from park_spool.supervise import GRACE

MASTER = "master"


@dataclass(frozen=True, slots=True)
class Stay:
    """What whoever starts a node asks of it, in seconds; None is for ever."""

    linger: float | None = None
    idle: float | None = None
    lifetime: float | None = None

    def why_leave(self, without_work: float, without_master: float) -> str | None:
        """Say why a node that has been so long without the one or the other is to leave; None if it stays.

        >>> Stay(linger=600.0).why_leave(601.0, 20.0) is None
        True
        >>> Stay(linger=600.0).why_leave(601.0, 600.0)
        'it had no work and saw no master for 600 s'
        """
        if self.idle is not None and without_work >= self.idle:
            return f"it had no work for {self.idle:g} s"
        if self.linger is not None and min(without_work, without_master) >= self.linger:
            return f"it had no work and saw no master for {self.linger:g} s"
        return None


def margins(lifetime: float, drain_seconds: float) -> tuple[float, float]:
    """Return how long before its end a node claims nothing more, and gives back what still runs.

    >>> margins(3600.0, 10.0), margins(20.0, 10.0)
    ((35.0, 15.0), (10.0, 5.0))
    """
    last_claim = min(2 * drain_seconds + GRACE, lifetime / 2)
    return last_claim, min(GRACE, last_claim / 2)


@dataclass(slots=True)
class Staying:
    """One process's stay, from `started` (monotonic) on."""

    stay: Stay
    started: float
    drain_seconds: float
    look_seconds: float
    _worked: float = field(init=False)
    _mastered: float = field(init=False)
    _looked: float = field(init=False, default=-inf)
    _sightings: Sightings = field(init=False, default_factory=Sightings)

    def __post_init__(self) -> None:
        self._worked = self._mastered = self.started

    @property
    def claims_until(self) -> float | None:
        """Return the monotonic time from which on the node claims nothing more."""
        lifetime = self.stay.lifetime
        return None if lifetime is None else self.started + lifetime - margins(lifetime, self.drain_seconds)[0]

    @property
    def gives_back_at(self) -> float | None:
        """Return the monotonic time at which the node gives back what still runs."""
        lifetime = self.stay.lifetime
        return None if lifetime is None else self.started + lifetime - margins(lifetime, self.drain_seconds)[1]

    def note_work(self, now: float) -> None:
        self._worked = now

    def look(self, member: Member) -> None:
        """Look now and then whether a master's lock has moved. Lets OSError through: what is unseen did not move."""
        now, linger = member.monotonic(), self.stay.linger
        if linger is None or now - self._looked < min(self.look_seconds, linger / 4):
            return
        self._looked = now
        seen = {lock.name: 0 for lock in leadership.locks(member.disk, member.layout, MASTER)}
        self._sightings.look(seen, now)
        if any(self._sightings.silence(name, now) == 0.0 for name in seen):
            self._mastered = now

    def why_leave(self, now: float) -> str | None:
        """Say why the node is to leave now; None if it stays."""
        if self.claims_until is not None and now >= self.claims_until:
            return f"its {self.stay.lifetime:g} s are nearly over"
        return self.stay.why_leave(now - self._worked, now - self._mastered)

    def time_left(self, now: float) -> float:
        """Return how long what runs may run on once the node is to leave."""
        return self.drain_seconds if self.gives_back_at is None else max(0.0, self.gives_back_at - now)

    def wake_at(self, now: float) -> float | None:
        """Return the next monotonic time at which the node may have to leave; None if none is known."""
        stay = self.stay
        dues = [
            None if stay.idle is None else self._worked + stay.idle,
            None if stay.linger is None else max(self._worked, self._mastered) + stay.linger,
            self.claims_until,
        ]
        return min((due for due in dues if due is not None and due > now), default=None)
