"""Who is at work on a spool, for people: by names in locks/ and nodes/, and by what processes can be seen from here.

One look cannot tell a silent daemon on another host from one that is busy, so only those whose process is known to be
gone are left out. Daemons judge by watching sequences move (nodes.py, leadership.py); nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool import leadership, naming, processes, sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.layout import Layout
from park_spool.looking.reports import number
from park_spool.processes import Identity

ADVICE = {
    "spoold": "no park-spoold tends this spool: start `park serve`, or park-noded, which brings one along",
    "reduced": "no park-reduced is alive: replies wait in replies/ until `park serve` or park-reduced runs",
    "nodes": "no park-noded is alive: nothing runs until one is started on a node",
}


@dataclass(frozen=True, slots=True)
class Crew:
    """The active spoold and reducer by name, None where nobody is, and the nodes' heartbeats."""

    spoold: str | None
    reduced: str | None
    nodes: tuple[dict[str, Any], ...]

    @property
    def cpus(self) -> int:
        return sum(int(number(node.get("cpus")) or 0) for node in self.nodes)

    def missing(self) -> list[str]:
        """Say in sentences who is missing, and what to do about it."""
        present = {"spoold": self.spoold, "reduced": self.reduced, "nodes": self.nodes}
        return [ADVICE[part] for part, who in present.items() if not who]


def look(disk: Disk, spool: Layout) -> Crew:
    """See who is at work."""
    return Crew(_holder(disk, spool, "spoold"), _holder(disk, spool, "reduced"), tuple(_nodes(disk, spool)))


def _holder(disk: Disk, spool: Layout, role: str) -> str | None:
    found = leadership.locks(disk, spool, role)
    living = [lock for lock in found if _is_living(_read(disk, spool.locks / lock.name))]
    active = leadership.best(living)
    return active.candidate if active else None


def _nodes(disk: Disk, spool: Layout) -> list[dict[str, Any]]:
    newest: dict[str, int] = {}
    for name in disk.names(spool.nodes):
        node, seq = naming.parse_heartbeat(name) or ("", 0)
        newest[node] = max(seq, newest.get(node, 0))
    newest.pop("", None)
    reports = (_heartbeat(disk, spool, node, seq) for node, seq in newest.items())
    return [report for report in reports if report and _is_living(report.get("identity"))]


def _heartbeat(disk: Disk, spool: Layout, node: str, seq: int) -> dict[str, Any] | None:
    # RACE: the node may have replaced it since the listing; the next one stands before this one goes.
    numbers = (seq, seq + 1)
    found = (_read(disk, spool.nodes / naming.heartbeat_name(node, number)) for number in numbers)
    return next((report for report in found if report is not None), None)


def _read(disk: Disk, path: Path) -> dict[str, Any] | None:
    data = disk.read(path)
    try:
        return sealed.unseal_json(data) if data is not None else None
    except TornError:
        return None


def _is_living(identity: object) -> bool:
    """Say whether a process may be alive: another host's counts as alive, one that is known to be gone does not."""
    return isinstance(identity, dict) and processes.is_alive(Identity.from_json(identity)) is not False
