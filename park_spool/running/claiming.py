"""Claiming: from one listing for all free slots, the highest rank first; in it users share, each first in first out.

Guarantees: only ranks that suit this node; short commands only for the slot that is kept for them, and nothing else for
that one; no unit that is in hand, was answered here, or is better left to others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from park_spool import naming, survey, tags
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.running.elsewhere import Elsewhere
from park_spool.running.fairness import Shares
from park_spool.running.hands import Claim, Hands
from park_spool.running.job_times import JobTimes
from park_spool.running.known_sessions import KnownSessions

MIN_TRIES = 8
MOST_READ = 8  # sessions whose user is read at one look: the others are their own users until the next


@dataclass(slots=True)
class Claiming:
    """How one node chooses; `carried` are its tags, at `ends_at` (its clock) it gives back what it has."""

    carried: frozenset[str]
    known: KnownSessions
    times: JobTimes
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    ends_at: float | None = None
    _shares: dict[str, Shares] = field(default_factory=dict)

    def claim(self, hands: Hands, slots: int, spare: int = 0) -> bool:
        """Claim up to so many units, and up to `spare` short commands; return whether any was won."""
        self._correct(hands)
        left = {False: slots, True: spare}
        ranks = survey.ranks(hands.member.disk, hands.member.layout)
        for rank in ranks:
            kind = is_command(rank)
            if left[kind] > 0 and tags.suits(naming.rank_tag(rank), self.carried | {tags.COMMAND}):
                left[kind] -= self._claim_rank(hands, rank, left[kind])
        if len(self._shares) > len(ranks):
            self._shares = {rank: shares for rank, shares in self._shares.items() if rank in ranks}
        return left != {False: slots, True: spare}

    def settle(self, claim: Claim, seconds: float) -> None:
        """Correct what a user was charged for a unit to what it really took."""
        if claim.rank in self._shares:
            self._shares[claim.rank].charge(claim.user, seconds - claim.charged)
        claim.charged = seconds

    def _correct(self, hands: Hands) -> None:
        """Charge what runs longer than was expected now, lest its user get more meanwhile."""
        now = hands.member.monotonic()
        for claim in hands.claims.values():
            if claim.runner is not None and now - claim.since > claim.charged:
                self.settle(claim, now - claim.since)

    def _claim_rank(self, hands: Hands, rank: str, wanted: int) -> int:
        """Claim from one rank folder until enough is won, nothing is left, or half of the tries were lost."""
        waiting = self._by_user(self._listed(hands, rank))
        shares = self._shares.setdefault(rank, Shares())
        if waiting:
            shares.see(waiting.keys())
        won = lost = 0
        while waiting and won < wanted and lost * 2 <= max(lost + won, MIN_TRIES):
            user = shares.next_of(waiting)
            unit = _pick(waiting, user, hands.member, lost)
            if hands.win(unit, rank):
                won += 1
                claim = hands.claims[unit]
                claim.user, claim.charged = user, self._estimate(hands.member, unit)
                shares.charge(user, claim.charged)
            else:
                lost += 1
        return won

    def _listed(self, hands: Hands, rank: str) -> list[Unit]:
        member, tag = hands.member, naming.rank_tag(rank)
        units = survey.parsed(member.disk.names(member.layout.ready / rank))
        free = [unit for unit in units if hands.may_win(unit) and not self.elsewhere.is_for_others(member, unit, tag)]
        return free if self.ends_at is None else [unit for unit in free if self._fits(unit, self.ends_at, member)]

    def _fits(self, unit: Unit, ends_at: float, member: Member) -> bool:
        """Say whether one job of a unit can be done in the time that is left; what it leaves undone costs nothing."""
        seconds = self.times.of_a_job(unit)
        return seconds is None or seconds < ends_at - member.monotonic()

    def _by_user(self, units: Iterable[Unit]) -> dict[str, list[Unit]]:
        """Sort units by their users. Of a session that stands alone nobody needs to know whose it is."""
        by_sid: dict[str, list[Unit]] = {}
        for unit in units:
            by_sid.setdefault(unit.sid, []).append(unit)
        reads = 0
        by_user: dict[str, list[Unit]] = {}
        for sid, some in by_sid.items():
            user = self.known.known_user(sid)
            if user is None and len(by_sid) > 1 and reads < MOST_READ:
                user, reads = self.known.read_user(sid), reads + 1
            by_user.setdefault(sid if user is None else user, []).extend(some)
        return by_user

    def _estimate(self, member: Member, unit: Unit) -> float:
        expected = self.times.expected(unit)
        return member.config.unit_seconds if expected is None else expected


def is_command(rank: str) -> bool:
    """Say whether a rank folder holds short commands, for the slot that each node keeps for them.

    >>> is_command("100-100+n1+command"), is_command("100-100+n1")
    (True, False)
    """
    return tags.COMMAND in naming.rank_tag(rank).split("+")


def _pick(waiting: dict[str, list[Unit]], user: str, member: Member, lost: int) -> Unit:
    units = waiting[user]
    # RACE: who loses a try goes on at a place of its own, so that nodes do not all meet at the front.
    unit = units.pop(zlib.crc32(member.name.encode()) % len(units) if lost else 0)
    if not units:
        del waiting[user]
    return unit
