"""The units in one node's hands, from the claim to the moment its name is gone from `claimed/NODE/`.

    held ──► with a runner ──► answered: reply published, then the claim is dropped
      └────► let go, put aside (nobody can run it), or given back, whole or what is left of it

Guarantees: a unit is published at most once under this node's name; a claim is dropped only after its reply stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from park_spool import naming, replies, survey
from park_spool.member import Member
from park_spool.naming import Unit

KEPT = 10_000  # answered units that a node remembers


@dataclass(slots=True)
class Claim:
    """A unit in hand: waiting for a runner, with one, or finished and not yet published (`answer`).

    A finished one is not published before `held_until` (the node's clock), for what it tells may not be true.
    `since` it is where it is now; `charged` seconds stand on the account of `user` for it; `origin` says which text of
    its service ran it.
    """

    unit: Unit
    rank: str
    since: float
    runner: int | None = None
    answer: list[bytes] | None = None
    held_until: float = 0.0
    unseen: int = 0
    user: str = ""
    charged: float = 0.0
    origin: dict[str, str] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.runner is None and self.answer is None


@dataclass(slots=True)
class Hands:
    """What one incarnation of a node holds."""

    member: Member
    claims: dict[Unit, Claim] = field(default_factory=dict)
    _answered: dict[Unit, float] = field(default_factory=dict)
    _tried: float = -inf  # when it tried to claim something last

    def __iter__(self) -> Iterator[Claim]:
        return iter(list(self.claims.values()))

    @property
    def folder(self) -> Path:
        return self.member.layout.claims(self.member.name)

    def listed(self) -> set[Unit]:
        """List what lies in this node's folder; on a shared disk only if there can be anything."""
        if self.member.config.is_shared:
            if not self.claims and self.member.monotonic() - self._tried > self.member.config.claim_expiry:
                return set()
            self.member.disk.refresh(self.folder)  # NFS: a claim whose rename reported an error must show up here
        return set(survey.parsed(self.member.disk.names(self.folder)))

    def may_win(self, unit: Unit) -> bool:
        """Say whether a unit may be claimed: none that is in hand, and none that this node has answered.

        CRASH: an answer that a power cut took is missed by an audit and offered once more under the same name, perhaps
        to this node alone: after `claim_expiry` it counts as answered only while the reply stands.
        """
        if unit in self.claims:
            return False
        since = self._answered.get(unit)
        if since is None:
            return True
        is_old = self.member.monotonic() - since > self.member.config.claim_expiry
        return is_old and self.member.disk.kind(self._reply(unit)) is None

    def win(self, unit: Unit, rank: str) -> bool:
        """Try to claim a unit that waits under a rank."""
        self._tried = self.member.monotonic()
        # At this instant the unit is claimed.
        if not self.member.disk.move(self.member.layout.ready / rank / unit.name, self.folder / unit.name):
            return False
        self._answered.pop(unit, None)
        self.claims[unit] = Claim(unit, rank, self.member.monotonic())
        return True

    def find(self, unit: Unit, rank: str) -> None:
        """Take in a unit that lies in the folder and came unnoticed; drop one that was answered."""
        if unit in self._answered:
            self.member.disk.unlink(self.folder / unit.name)
        elif unit not in self.claims:
            self.claims[unit] = Claim(unit, rank, self.member.monotonic())

    def vanished(self, seen: set[Unit]) -> list[Claim]:
        """Forget, and return, the claims that two looks in a row did not find in the folder."""
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
        """Publish a unit's reply (of all its jobs, or of some when the rest was given back), then drop the claim."""
        unit = claim.unit
        data = replies.encode(unit, self.member.name, header, claim.answer or [])
        # At this instant the unit is answered.
        self.member.disk.publish(self._reply(unit), data)
        self._answered[unit] = self.member.monotonic()
        while len(self._answered) > KEPT:
            del self._answered[next(iter(self._answered))]
        del self.claims[unit]
        self.member.disk.unlink(self.folder / unit.name)

    def give_back(self, claim: Claim, done: Sequence[bytes] = ()) -> None:
        """Offer again what is left of a unit; what is done becomes the claim's answer, which is to be published then.

        The rest comes first. CRASH: a claim with its rest in ready/ is run twice and counted once; the other way round
        the rest would be missing until an audit.
        """
        disk, rank, unit = self.member.disk, self.member.layout.ready / claim.rank, claim.unit
        rest = unit.piece(unit.start + len(done), unit.stop)
        if rest.size:
            disk.make_folder(rank)
        if not done:
            disk.move(self.folder / unit.name, rank / unit.name)  # at this instant it is claimable again
            del self.claims[unit]
            return
        if rest.size:
            disk.create(rank / rest.name)  # at this instant the rest is claimable
        claim.answer, claim.runner = list(done), None

    def take_away(self) -> None:
        """Remove the folder, and what was answered and could not be dropped."""
        for unit in survey.parsed(self.member.disk.names(self.folder)):
            if unit in self._answered:
                self.member.disk.unlink(self.folder / unit.name)
        self.member.disk.remove_folder(self.folder)

    def _reply(self, unit: Unit) -> Path:
        return self.member.layout.replies / naming.reply_name(unit, self.member.name)
