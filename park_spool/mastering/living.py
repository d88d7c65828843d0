"""Who lives on a spool, as a master or `park down` judges it: nodes by their heartbeats, masters by their locks.

Only sequences that move on the observer's own monotonic clock count, or processes that are known to be gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from park_spool import leadership, naming, processes, sealed
from park_spool.errors import TornError
from park_spool.member import Member
from park_spool.naming import Lock
from park_spool.nodes import Nodes
from park_spool.processes import Identity
from park_spool.running.staying import MASTER
from park_spool.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Live:
    """One live node, as its heartbeat has it; `how` and `master` say who started it, empty when it was by hand."""

    node: str
    alias: str
    host: str
    state: str
    cpus: int
    busy: int
    how: str = ""
    master: str = ""
    job: str = ""

    def is_called(self, word: str) -> bool:
        """Say whether people mean this node by a word: its name, its alias, its host or that one's first label."""
        return word.lower() in (self.node, self.alias, self.host, self.host.partition(".")[0])


def read(node: str, report: Mapping[str, Any]) -> Live:
    """Read a heartbeat; what an older node does not say is left open.

    >>> read("n4_4711_x0p2qa", {"cpus": 2}).host
    'n4'
    """
    by = report.get("started_by")
    by = by if isinstance(by, dict) else {}
    host = str(report.get("host") or naming.label_of(node)).lower()
    cpus, busy = (value if isinstance(value := report.get(key), int) else 0 for key in ("cpus", "busy"))
    alias, state = str(report.get("alias") or ""), str(report.get("state") or "")
    return Live(node, alias, host, state, cpus, busy, *(str(by.get(key) or "") for key in ("how", "master", "job")))


def nodes(seen: Nodes) -> list[Live]:
    """Return the nodes that live by the last look."""
    return [read(node, seen.reports[node]) for node in seen.live]


@dataclass(slots=True)
class Masters:
    """The masters that may be alive: those whose lock has moved within `lease_expiry`, or is newly seen."""

    member: Member
    _sightings: Sightings = field(default_factory=Sightings)

    def look(self) -> dict[str, str]:
        """List the locks of masters; return the candidates that may be alive, each with its host."""
        member = self.member
        now = member.monotonic()
        newest: dict[str, Lock] = {}
        for lock in leadership.locks(member.disk, member.layout, MASTER):
            if lock.candidate != member.name:
                newest[lock.candidate] = max(lock, newest.get(lock.candidate, lock))
        self._sightings.look({name: lock.seq for name, lock in newest.items()}, now)
        found = {name: self._host_of(lock) for name, lock in newest.items()}
        expiry = member.config.lease_expiry
        return {
            name: host
            for name, host in found.items()
            if host is not None and self._sightings.silence(name, now) <= expiry
        }

    def _host_of(self, lock: Lock) -> str | None:
        """Return the host of a candidate; None if its process is known to be gone."""
        identity = identity_of(self.member, lock)
        if identity is None:  # RACE: it was renewed since the listing
            return naming.label_of(lock.candidate)
        return None if processes.is_alive(identity) is False else identity.host


def identity_of(member: Member, lock: Lock) -> Identity | None:
    """Read which process holds a lock; None if it is not there any more."""
    data = member.disk.read(member.layout.locks / lock.name)
    try:
        return Identity.from_json(sealed.unseal_json(data)) if data is not None else None
    except TornError:
        return None
