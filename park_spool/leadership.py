"""Who tends the spool and who reduces: `locks/ROLE.EPOCH.CANDIDATE.SEQ` (PROTOCOL.md section 6, "Taking a role").

The decision is a pure function of one listing and of how long the active one has been silent. It is a hint that
saves work: every movement stays correct with two active, so nothing here needs a lock that a network could lose.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from park_spool import naming, processes, sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.layout import Layout
from park_spool.member import Member
from park_spool.naming import Lock
from park_spool.sightings import Sightings

Decision = Literal["take", "renew", "stand by"]


def locks(disk: Disk, spool: Layout, role: str = "") -> list[Lock]:
    """List the locks that stand, of one role if it is given."""
    found = map(naming.parse_lock, disk.names(spool.locks))
    return [lock for lock in found if lock is not None and role in ("", lock.role)]


def best(locks: Iterable[Lock]) -> Lock | None:
    """Return the active candidate's newest lock: highest epoch, then smallest candidate, then highest sequence."""
    return max(locks, key=lambda lock: (lock.epoch, _smaller_first(lock.candidate), lock.seq), default=None)


def _smaller_first(name: str) -> tuple[int, ...]:
    # NODE names are at most 60 characters, all below 256; the pad makes a prefix count as the smaller name.
    return (*(256 - ord(letter) for letter in name), 257)


def decide(active: Lock | None, me: str, is_gone: bool) -> Decision:
    """Decide what a candidate does, from the active lock that it sees.

    >>> decide(None, "a_1_000000", False)
    'take'
    """
    if active is not None and active.candidate == me:
        return "renew"
    return "take" if active is None or is_gone else "stand by"


class Candidate:
    """One process's part in a role."""

    def __init__(self, member: Member, role: str) -> None:
        self._member = member
        self._role = role
        self._sightings = Sightings()
        self._seq = 0
        self._looked = float("-inf")
        self.is_active = False

    def step(self) -> bool:
        """Look, take or renew; return whether this process is the active one now."""
        now = self._member.monotonic()
        if self.is_active and now < self._looked + self._member.config.lease_renew:
            return True
        self._looked = now
        found = self._locks()
        active = best(found)
        self._sightings.look({active.name: 0} if active else {}, now)
        decision = decide(active, self._member.name, active is not None and self._is_gone(active, now))
        if decision in ("take", "renew"):
            self._publish((active.epoch + (decision == "take")) if active else 1)
            self._sweep(found)
            # RACE: another may have taken the same epoch at the same moment; one more look decides.
            active = best(self._locks())
        self.is_active = active is not None and active.candidate == self._member.name
        return self.is_active

    def resign(self) -> None:
        """Take one's own names away, so that a standby need not wait."""
        for lock in self._locks():
            if lock.candidate == self._member.name:
                self._member.disk.unlink(self._path(lock))
        self.is_active = False

    def _locks(self) -> list[Lock]:
        return locks(self._member.disk, self._member.layout, self._role)

    def _is_gone(self, lock: Lock, now: float) -> bool:
        if lock.candidate == self._member.name:
            return False
        if self._sightings.silence(lock.name, now) > self._member.config.lease_expiry:
            return True
        data = self._member.disk.read(self._path(lock))
        return data is not None and _is_dead(data)

    def _publish(self, epoch: int) -> None:
        self._seq += 1
        lock = Lock(self._role, epoch, self._member.name, self._seq)
        self._member.disk.publish(self._path(lock), sealed.seal_json(self._member.identity.to_json()))

    def _sweep(self, seen: list[Lock]) -> None:
        """Remove what the name just published makes old: one's own earlier ones, and those of lower epochs."""
        current = best(self._locks())
        for lock in seen:
            if current and self._is_replaced(lock, current):
                self._member.disk.unlink(self._path(lock))

    @staticmethod
    def _is_replaced(lock: Lock, current: Lock) -> bool:
        is_same_turn = (lock.candidate, lock.epoch) == (current.candidate, current.epoch)
        return lock.name != current.name and (lock.epoch < current.epoch or is_same_turn)

    def _path(self, lock: Lock) -> Path:
        return self._member.layout.locks / lock.name


def _is_dead(data: bytes) -> bool:
    try:
        return processes.is_alive(processes.Identity.from_json(sealed.unseal_json(data))) is False
    except TornError:
        return False
