"""The units in one node's hands, from the claim to the moment its name is gone from `claimed/NODE/`.

    held ──► with a runner ──► answered: reply published, then the claim is dropped
      └────► let go, put aside (nobody can run it), or given back

Guarantees: a unit is published at most once under this node's name; a claim is dropped only after its reply stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from park_spool import naming, replies, survey
from park_spool.member import Member
from park_spool.naming import Unit


@dataclass(slots=True)
class Claim:
    """A unit in hand: waiting for a runner, with one, or finished and not yet published (`answer`)."""

    unit: Unit
    rank: str
    since: float
    runner: int | None = None
    answer: list[bytes] | None = None
    unseen: int = 0

    @property
    def is_waiting(self) -> bool:
        return self.runner is None and self.answer is None


@dataclass(slots=True)
class Hands:
    """What one incarnation of a node holds."""

    member: Member
    claims: dict[Unit, Claim] = field(default_factory=dict)
    _answered: set[Unit] = field(default_factory=set)

    def __iter__(self) -> Iterator[Claim]:
        return iter(list(self.claims.values()))

    @property
    def folder(self) -> Path:
        return self.member.layout.claims(self.member.name)

    def listed(self) -> set[Unit]:
        """List what lies in this node's folder."""
        if self.member.config.is_shared:
            self.member.disk.refresh(self.folder)  # NFS: a claim whose rename reported an error must show up here
        return set(survey.parsed(self.member.disk.names(self.folder)))

    def take(self, unit: Unit, rank: str) -> None:
        """Take in a unit that lies in the folder; one that was offered twice and is known here changes nothing."""
        if unit in self._answered:
            self.member.disk.unlink(self.folder / unit.name)
        elif unit not in self.claims:
            self.claims[unit] = Claim(unit, rank, self.member.monotonic())

    def vanished(self, seen: set[Unit]) -> list[Claim]:
        """Forget, and return, the claims that two looks in a row did not find in the folder."""
        self._answered &= seen
        for claim in self:
            claim.unseen = 0 if claim.unit in seen else claim.unseen + 1
        gone = [claim for claim in self if claim.unseen >= 2]
        for claim in gone:
            del self.claims[claim.unit]
        return gone

    def let_go(self, claim: Claim) -> None:
        """Drop a claim without an answer: its jobs are missing then, and spoold knows what to do."""
        self.member.disk.unlink(self.folder / claim.unit.name)
        self.claims.pop(claim.unit, None)

    def put_aside(self, claim: Claim, why: str) -> None:
        """Move a unit that nobody can run to quarantine/, its reason beside it."""
        aside = self.member.layout.quarantine
        name = claim.unit.name
        self.member.disk.create(aside / f"{name}{naming.WHY}", f"{why}; it was put aside here, not run\n".encode())
        self.member.disk.move(self.folder / name, aside / name)
        self.claims.pop(claim.unit, None)

    def answer(self, claim: Claim, header: dict[str, Any]) -> None:
        """Publish a finished unit's reply, then drop the claim."""
        unit = claim.unit
        data = replies.encode(unit, self.member.name, header, claim.answer or [])
        # At this instant the unit is answered.
        self.member.disk.publish(self.member.layout.replies / naming.reply_name(unit, self.member.name), data)
        self._answered.add(unit)
        del self.claims[unit]
        self.member.disk.unlink(self.folder / unit.name)

    def give_back(self) -> None:
        """Rename what is not answered back to ready/, and take the folder away."""
        disk, ready = self.member.disk, self.member.layout.ready
        for claim in self:
            disk.make_folder(ready / claim.rank)
            disk.move(self.folder / claim.unit.name, ready / claim.rank / claim.unit.name)
        self.claims.clear()
        self._drop(unit for unit in survey.parsed(disk.names(self.folder)) if unit in self._answered)
        disk.remove_folder(self.folder)

    def _drop(self, units: Iterable[Unit]) -> None:
        for unit in units:
            self.member.disk.unlink(self.folder / unit.name)
