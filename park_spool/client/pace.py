"""How often an asker looks while calls are out: often at first, since quick calls are back in a millisecond or two."""

from __future__ import annotations

from park_spool.member import Member

QUICKEST, SLOWEST = 0.0003, 0.1  # s
QUICKEST_SHARED, SLOWEST_SHARED = 0.02, 1.0
PART = 0.1  # of the time since something happened
DUTY = 4  # times as long as a look takes, at least


class Pace:
    """When something happened last."""

    def __init__(self, member: Member) -> None:
        self._monotonic = member.monotonic
        is_shared = member.config.is_shared
        self._bounds = (QUICKEST_SHARED, SLOWEST_SHARED) if is_shared else (QUICKEST, SLOWEST)
        self._at = member.monotonic()

    def note(self) -> None:
        """Note that something happened just now."""
        self._at = self._monotonic()

    def wait_seconds(self, look_seconds: float) -> float:
        """Return how long to wait until the next look, of which the last took so long."""
        quickest, slowest = self._bounds
        since = self._monotonic() - self._at
        return min(max(PART * since, DUTY * look_seconds, quickest), slowest)
