"""Stopping a whole cluster by what is on the spool: masters, nodes, pilots, whoever started them.

    masters: notices/CANDIDATE.stop ─▶ none lives ─▶ pilots are cancelled ─▶ nodes: notices/NODE.stop ─▶ none lives

Guarantees: what is stopped was told by its own name; nobody is killed. A master that takes over meanwhile, and a node
that is born anew, is told, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from park_spool import leadership, notices
from park_spool.mastering import living
from park_spool.mastering.farewell import Farewell
from park_spool.mastering.living import Live, Masters
from park_spool.member import Member
from park_spool.nodes import Nodes
from park_spool.processes import Identity, is_alive
from park_spool.running.staying import MASTER
from park_spool.supervise import GRACE

LOOK = 0.3  # s
Tell = Callable[[str], None]


def patience(member: Member) -> float:
    """Return how long a full stop takes at most: until all have left, or were silent for long enough to be dead."""
    config = member.config
    return config.lease_expiry + config.claim_expiry + config.drain_seconds + GRACE


@dataclass(slots=True)
class Stopping:
    """One `park down`; `left` and `silent` are what it could not see end."""

    member: Member
    seconds: float
    tell: Tell
    sleep: Callable[[float], None] = time.sleep
    masters_left: dict[str, str] = field(default_factory=dict)
    left: list[Live] = field(default_factory=list)
    silent: list[Live] = field(default_factory=list)
    stopped: int = 0
    aliases: set[str] = field(default_factory=set)
    _until: float = field(init=False)
    _seen: Nodes = field(init=False)
    _first: set[str] = field(default_factory=set)  # the nodes that lived when this began

    def __post_init__(self) -> None:
        self._seen = Nodes(self.member)
        self._until = self.member.monotonic() + self.seconds

    def masters(self) -> bool:
        """Stop all masters; return whether none lives any more."""
        self._seen.look()
        self._first = {live.node for live in living.nodes(self._seen)}
        masters, told = Masters(self.member), dict[str, str]()
        while True:
            self.masters_left = masters.look()
            for name, host in self.masters_left.items():
                if name not in told:
                    notices.say(self.member, name, "stop")
                    self.tell(f"the master {name} on {host} is told to stop")
            told |= self.masters_left
            if not self.masters_left or self._is_late():
                break
            self._seen.look()  # whose silence counts from now on
            self.sleep(LOOK)
        self._tidy()
        return not self.masters_left

    def _tidy(self) -> None:
        """Remove the locks of masters that were seen to be gone. The notices stay: nodes that start late read them."""
        disk, spool = self.member.disk, self.member.layout
        for lock in leadership.locks(disk, spool, MASTER):
            if lock.candidate not in self.masters_left:
                disk.unlink(spool.locks / lock.name)

    def nodes(self, is_meant: Callable[[Live], bool] = lambda live: True) -> bool:
        """Stop all nodes that are meant; return whether each was seen to leave."""
        seen = self._seen
        farewell = Farewell(self.member, seen, is_meant)
        told = 0
        while True:
            self.left = farewell.step()
            for live in list(farewell.told.values())[told:]:
                self.tell(f"{live.node}{f' ({live.alias})' if live.alias else ''} on {live.host} is told to stop")
            told = len(farewell.told)
            if not self.left or self._is_late():
                break
            self.sleep(LOOK)
        gone = (living.read(node, seen.reports[node]) for node in seen.gone if node in seen.reports)
        self.silent = [one for one in gone if is_meant(one) and not self._has_ended(one.node)]
        for one in self.silent:
            notices.say(self.member, one.node, "stop")  # one that was only cut off reads it when it comes back
        names = {one.node for one in (*self.left, *self.silent)}
        self.aliases = {one.alias for one in farewell.told.values()}
        self.stopped = len((self._first | farewell.told.keys()) - names)
        return not self.left and not self.silent

    def _is_late(self) -> bool:
        return self.member.monotonic() > self._until

    def _has_ended(self, node: str) -> bool:
        """Say whether a silent node is known to be gone, or was fenced before: if it lives, it has another name now."""
        identity = self._seen.reports.get(node, {}).get("identity")
        if isinstance(identity, dict) and is_alive(Identity.from_json(identity)) is False:
            return True
        return self.member.disk.kind(self.member.layout.claims(node)) is None
