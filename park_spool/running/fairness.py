"""Who is served next within one rank: an account of seconds for each user; the one with the least comes first.

    see(users waiting) ─▶ next_of(them) ─▶ charge(user, estimate) ─▶ … ─▶ charge(user, what it really took − estimate)

Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996): who was away neither saves time up nor starts with none; a
newcomer begins at the least account of those present. So users get equal times on a node, however many sessions they
have and however long their jobs are, and one who is alone gets all of it. Pure: the seconds come from the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

KEPT = 1000  # accounts of users who wait for nothing


@dataclass(slots=True)
class Shares:
    """The accounts of one rank; `see` comes before `next_of`."""

    _used: dict[str, float] = field(default_factory=dict)
    _present: frozenset[str] = frozenset()
    _served: float = 0.0  # the account of the user served last, before it was charged

    def see(self, users: Collection[str]) -> None:
        """Note who has units waiting: whoever had none at the last look is a newcomer."""
        if self._present.issuperset(users) and len(self._present) == len(users):
            return
        stayed = [self._used[user] for user in users if user in self._present]
        least = min(stayed, default=self._served)
        for user in users:
            if user not in self._present:
                self._used[user] = max(self._used.get(user, 0.0), least)
        self._present = frozenset(users)
        self._forget()

    def next_of(self, users: Iterable[str]) -> str:
        """Return the user with the least account; of several the first named."""
        user = min(users, key=self.used)
        self._served = self.used(user)
        return user

    def used(self, user: str) -> float:
        """Return a user's account in seconds."""
        return self._used.get(user, 0.0)

    def charge(self, user: str, seconds: float) -> None:
        """Put seconds on a user's account; fewer than none correct an estimate that was too high."""
        self._used[user] = self.used(user) + seconds

    def _forget(self) -> None:
        if len(self._used) > KEPT + len(self._present):
            self._used = {user: used for user, used in self._used.items() if user in self._present}
