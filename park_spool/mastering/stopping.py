"""Stopping a whole cluster by what is on the spool: masters, nodes, pilots, whoever started them.

    masters: nodes/CANDIDATE.stop ─▶ none lives ─▶ pilots are cancelled ─▶ nodes: nodes/NODE.stop ─▶ none lives

Guarantees: what is stopped was told by its own name; nobody is killed. A master that takes over meanwhile, and a node
that is born anew, is told, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from park_spool import naming, wishes
from park_spool.mastering.farewell import Farewell, say_stop
from park_spool.mastering.living import Live, Masters
from park_spool.member import Member
from park_spool.nodes import Nodes
from park_spool.processes import Identity, is_alive
from park_spool.running.staying import MASTER
from park_spool.supervise import GRACE

LOOK = 0.3  # s
Tell = Callable[[str], None]


def patience(member: Member) -> float:
    """Return how long a full stop takes at most: until every node has left, or has been silent for `claim_expiry`."""
    return member.config.claim_expiry + member.config.drain_seconds + GRACE


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

    def __post_init__(self) -> None:
        self._until = self.member.monotonic() + self.seconds

    def masters(self) -> bool:
        """Stop all masters; return whether none lives any more."""
        masters, told = Masters(self.member), dict[str, str]()
        while True:
            self.masters_left = masters.look()
            for name, host in self.masters_left.items():
                if name not in told:
                    say_stop(self.member, name)
                    self.tell(f"the master {name} on {host} is told to stop")
            told |= self.masters_left
            if not self.masters_left or self._is_late():
                break
            self.sleep(LOOK)
        self._tidy(told)
        return not self.masters_left

    def _tidy(self, told: Iterable[str]) -> None:
        """Remove the locks of masters that were seen to be gone, and the notices to them."""
        disk, spool = self.member.disk, self.member.layout
        for lock in map(naming.parse_lock, disk.names(spool.locks)):
            if lock is not None and lock.role == MASTER and lock.candidate not in self.masters_left:
                disk.unlink(spool.locks / lock.name)
        for name in told:
            if name not in self.masters_left:
                disk.unlink(spool.nodes / wishes.notice_name(name, "stop"))

    def nodes(self, is_meant: Callable[[Live], bool] = lambda live: True) -> bool:
        """Stop all nodes that are meant; return whether each was seen to leave."""
        seen = Nodes(self.member)
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
        standing = {beat[0] for name in self._names() if (beat := naming.parse_heartbeat(name))}
        living = {live.node for live in self.left}
        self.silent = [
            one for node, one in farewell.told.items() if node in standing - living and not _ended(seen, node)
        ]
        self.aliases = {one.alias for one in farewell.told.values()}
        self.stopped = len(farewell.told) - len(self.left) - len(self.silent)
        return not self.left and not self.silent

    def _names(self) -> list[str]:
        return self.member.disk.names(self.member.layout.nodes)

    def _is_late(self) -> bool:
        return self.member.monotonic() > self._until


def _ended(seen: Nodes, node: str) -> bool:
    """Say whether the process of a node is known to be gone: not only silent."""
    identity = seen.reports.get(node, {}).get("identity")
    return isinstance(identity, dict) and is_alive(Identity.from_json(identity)) is False
