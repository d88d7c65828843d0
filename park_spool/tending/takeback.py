"""Taking back what dead nodes held (PROTOCOL.md section 6, "Expiry").

    claimed/NODE/UNIT ──rename the folder──► claimed/NODE.expired/UNIT ──► ready/, pending, or a `lost` reply

The rename of the folder fences the node; then one of two janitors wins each unit, by a rename or by an unlink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from park_spool import admitted, intervals, naming, replies
from park_spool.admitted import Admitted
from park_spool.errors import PermanentError
from park_spool.intervals import Intervals
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.nodes import Nodes, remove_heartbeats
from park_spool.patterns import PATTERNS
from park_spool.retries import Retries
from park_spool.survey import parsed
from park_spool.tallies import Tally
from park_spool.tending import planning

Pend = Callable[[list[Unit]], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a session's units come back: what is final, what is run again, whether it is paused."""

    tally: Tally
    retries: Retries = field(default_factory=Retries)
    is_paused: bool = False

    def unanswered(self, unit: Unit) -> Intervals:
        """Return the jobs of a unit that come back.

        Not those that are final, that failed at this attempt or a later one, or that a later round names: an audit
        finds what is missing of these, at the attempt that is due.
        """
        failed = [
            (job, job + 1)
            for job, round_, attempt in self.tally.failures.get(unit.key, [])
            if (round_, attempt) >= (unit.round, unit.attempt)
        ]
        later = self.retries.after(unit.round).get(unit.key, [])
        known = intervals.union([*self.tally.final.get(unit.key, []), *failed, *later])
        return intervals.subtract([(unit.start, unit.stop)], known)


@dataclass(slots=True)
class TakeBack:
    """One spoold's hands on the folders of dead nodes.

    `standing` looks how a session stands now, `pend` takes the units of one session to be offered again.
    """

    member: Member
    nodes: Nodes
    standing: Callable[[str], Standing]
    pend: Pend
    _empty_since: dict[str, float] = field(default_factory=dict)

    def step(self) -> bool:
        """Expire the nodes that are gone, and bring back one folder's units after the other."""
        did = False
        for node in self.nodes.gone:
            did = self._expire(node) or did
        for name in self._expired():
            did = self._empty(name) or did
        return did

    def _expire(self, node: str) -> bool:
        disk, spool = self.member.disk, self.member.layout
        # At this instant the node is fenced.
        moved = disk.move(spool.claims(node), spool.expired(node))
        if not moved and disk.kind(spool.claims(node)) is None:
            remove_heartbeats(self.member, node)
        return moved

    def _expired(self) -> list[str]:
        names = self.member.disk.names(self.member.layout.claimed)
        return [name for name in names if PATTERNS["expired"].fullmatch(name)]

    def _empty(self, name: str) -> bool:
        """Bring back each unit of an expired folder; remove the folder long after it was seen empty."""
        folder = self.member.layout.claimed / name
        units = list(parsed(self.member.disk.names(folder)))
        now = self.member.monotonic()
        if not units:
            # NFS: a client may still rename into the folder through an old handle.
            if now - self._empty_since.setdefault(name, now) > self.member.config.claim_expiry:
                self.member.disk.remove_folder(folder)
                del self._empty_since[name]
            return False
        self._empty_since.pop(name, None)
        # The order of movement: replies are listed before the tallies are read, so an answer is seen in one of them.
        answered = {unit for reply in self.member.disk.names(self.member.layout.replies) if (unit := _unit_of(reply))}
        for unit in units:
            self._bring_back(name, unit, unit in answered)
        return True

    def _bring_back(self, name: str, unit: Unit, is_answered: bool) -> None:
        disk, spool = self.member.disk, self.member.layout
        held = spool.claimed / name / unit.name
        found = self._session(unit.sid)
        standing = None if is_answered or found is None else self.standing(unit.sid)
        rest = standing.unanswered(unit) if standing else []
        if found is None or standing is None or not rest:
            disk.unlink(held)
        elif unit.size > 1:
            self._pend_instead(held, planning.pieces(unit, rest))
        else:
            self._bring_one_back(name, unit, found[1], standing)

    def _bring_one_back(self, name: str, unit: Unit, session: Admitted, standing: Standing) -> None:
        """Bring back a unit of one job: it may be what its node died of, unless a batch system has ended that."""
        held = self.member.layout.claimed / name / unit.name
        is_innocent = name.removesuffix(naming.EXPIRED) in self.nodes.ended
        again = unit if is_innocent else unit.next_attempt()
        if not is_innocent and session.is_final("lost", unit.attempt):
            self._give_up(unit, name)
            self.member.disk.unlink(held)
        elif standing.is_paused:
            self._pend_instead(held, [again])
        else:
            offer_again(self.member, session, held, again)

    def _pend_instead(self, held: Path, units: list[Unit]) -> None:
        # One janitor wins the unlink and offers these; if it dies first, an audit finds them missing.
        if self.member.disk.unlink(held):
            self.pend(units)

    def _session(self, sid: str) -> tuple[Path, Admitted] | None:
        try:
            return admitted.find(self.member.disk, self.member.layout, sid)
        except PermanentError:
            return None  # the audit says so; nobody can run its jobs

    def _give_up(self, unit: Unit, name: str) -> None:
        node = name.removesuffix(naming.EXPIRED)
        give_up(
            self.member,
            unit,
            f"the node that ran it was lost {unit.attempt + 1} times, the last was {node}; it is not tried again",
        )


def offer_again(member: Member, session: Admitted, held: Path, unit: Unit) -> bool:
    """Rename a lost unit of one job back to ready/ under its next name: at that instant it is claimable again."""
    disk, spool = member.disk, member.layout
    rank = spool.ready / session.rank(unit.key)
    disk.make_folder(rank)
    return disk.move(held, rank / unit.name)


def give_up(member: Member, unit: Unit, why: str) -> None:
    """Publish a reply with status `lost` for a unit that is not tried again."""
    lines = [replies.result_line(job, "lost", why, member.wall()) for job in range(unit.start, unit.stop)]
    path = member.layout.replies / naming.reply_name(unit, member.name)
    member.disk.publish(path, replies.encode(unit, member.name, {}, lines))


def _unit_of(name: str) -> Unit | None:
    reply = naming.parse_reply(name)
    return reply[0] if reply else None
