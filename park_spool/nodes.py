"""The nodes as an observer sees them: who lives, who is gone, what they can do and how long their jobs take.

A node's heartbeat is `nodes/NODE.SEQ.json`. Nobody's clock is compared with anybody's: a node is gone when this
observer has seen the same sequence for `claim_expiry`, or knows that its process has ended (same boot, same pid
namespace).
"""

from __future__ import annotations

from typing import Any

from park_spool import naming, processes, sealed, wishes
from park_spool.cluster import Cluster, add_up
from park_spool.errors import TornError
from park_spool.member import Member
from park_spool.sightings import Sightings


class Nodes:
    """The heartbeats seen so far; the last look says who is `gone`, and the `cluster` of the others.

    Of those that are gone, a batch system has `ended` some: that was no fault of what they ran.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._sightings = Sightings()
        self._seqs: dict[str, int] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.gone: list[str] = []
        self.ended: set[str] = set()
        self.cluster = Cluster(0, {})

    def look(self) -> None:
        """List the heartbeats and the claim folders, and read what is new."""
        disk, spool = self._member.disk, self._member.layout
        # A folder without a heartbeat is a node being born, or one that died then: it counts from now on, too.
        seqs = {name: 0 for name in disk.names(spool.claimed) if naming.is_node(name)}
        notices = [notice for name in disk.names(spool.notices) if (notice := wishes.parse_notice(name))]
        self.ended = {node for node, verb in notices if verb == "ended"}
        for name in disk.names(spool.nodes):
            node, seq = naming.parse_heartbeat(name) or ("", 0)
            seqs[node] = max(seq, seqs.get(node, 0))
        seqs.pop("", None)
        self._sightings.look(seqs, self._member.monotonic())
        for node, seq in seqs.items():
            if seq and seq != self._seqs.get(node):
                self._read(node, seq)
        self._seqs = seqs
        self.reports = {node: report for node, report in self.reports.items() if node in seqs}
        self.gone = [node for node in sorted(seqs) if self._is_gone(node)]
        self.cluster = add_up({node: self.reports[node] for node in self.live})

    def _read(self, node: str, seq: int) -> None:
        data = self._member.disk.read(self._member.layout.nodes / naming.heartbeat_name(node, seq))
        if data is None:
            return
        try:
            self.reports[node] = sealed.unseal_json(data)
        except TornError:
            return  # CRASH: torn by a power cut; the next one follows, or silence does

    def _is_gone(self, node: str) -> bool:
        """Say whether a node's units may be taken back."""
        if node in self.ended:
            return True
        if self._sightings.silence(node, self._member.monotonic()) > self._member.config.claim_expiry:
            return True
        identity = self.reports.get(node, {}).get("identity")
        if not isinstance(identity, dict) or identity.get("host") != self._member.identity.host:
            return False
        return processes.is_alive(processes.Identity.from_json(identity)) is False

    @property
    def live(self) -> list[str]:
        """Return the nodes that have said something and were not gone at the last look."""
        return sorted(node for node in self.reports if node not in self.gone)


def remove_heartbeats(member: Member, node: str) -> None:
    """Remove the heartbeats of a node and the notices to it: of oneself when leaving, of one whose folder is gone."""
    for folder, parse in ((member.layout.nodes, naming.parse_heartbeat), (member.layout.notices, wishes.parse_notice)):
        for name in member.disk.names(folder):
            if (parse(name) or ("",))[0] == node:
                member.disk.unlink(folder / name)
