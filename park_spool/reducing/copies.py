"""When the next copy of the archive is to be published for other hosts: an errand like any other."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool.archive import snapshots
from park_spool.member import Member
from park_spool.reducing.errands import SNAPSHOT, Errand, Errands


@dataclass(slots=True)
class Copies:
    """One reducer's copies: when the last was begun, how long it took, and what the archive was like then."""

    member: Member
    errands: Errands
    _begun: float | None = None
    _took: float = 0.0
    _state: object = None

    def step(self) -> None:
        """Have a copy made, if some host needs one and it is time."""
        config = self.member.config
        if not snapshots.is_wanted(config) or self.errands.is_wanted(Errand(SNAPSHOT)):
            return
        now = self.member.monotonic()
        since = None if self._begun is None else now - self._begun
        if since is not None and since < config.snapshot_seconds:
            return
        state = snapshots.state(config.archive)
        if snapshots.is_due(config.snapshot_seconds, since, self._took, state != self._state):
            self._begun, self._state = now, state
            self.errands.want([Errand(SNAPSHOT)])

    def done(self) -> None:
        """Note how long it took."""
        if self._begun is not None:
            self._took = self.member.monotonic() - self._begun
