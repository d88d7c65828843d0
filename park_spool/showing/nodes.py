"""The nodes as they are shown: those that live by their heartbeats, those that are gone by the archive."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from park_spool.archive.finding import Found
from park_spool.archive.rows import NodeEventRow, NodeRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.looking import alive, heard, reports
from park_spool.looking.reports import Report
from park_spool.showing.session import RunningShown, of_running

MOST_GONE = 50
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class NodeShown:
    """A node. Sizes in bytes; `load` over 1, 5 and 15 minutes; `seen` is when it was last heard, Unix time.

    `state`: `working`, `idle`, `draining`, `bad`, … or `gone`. `is_silent`: it lives as far as can be seen from here,
    but was not heard of for longer than its claims last.
    """

    node: str
    host: str
    state: str
    why: str
    is_alive: bool
    is_silent: bool
    cpus: int
    busy: int
    load: tuple[float, ...]
    memory_total: float | None
    memory_available: float | None
    memory_limit: float | None
    seen: float | None
    running: tuple[RunningShown, ...]
    units: int
    tags: tuple[str, ...]
    warnings: tuple[str, ...]
    version: str
    python: str
    system: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """What the reducer saw of a node: appeared, gone, waiting, draining, bad, back."""

    node: str
    at: float
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class NodesPage:
    """All nodes, and who else is at work: `spoold` and `reduced` by name, empty where nobody is.

    `missing` says in sentences who is missing and what to do. `cpus` and `busy` are those of living nodes.
    """

    nodes: tuple[NodeShown, ...]
    gone: tuple[NodeShown, ...]
    cpus: int
    busy: int
    spoold: str
    reduced: str
    missing: tuple[str, ...]
    events: tuple[NodeEvent, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class NodePage:
    """One node, and what happened to it."""

    node: NodeShown
    events: tuple[NodeEvent, ...]


def nodes(
    settings: Config, disk: Disk, found: Found | None, owner: str = "", wall: Callable[[], float] = time.time
) -> NodesPage:
    """Look at all nodes; without an archive at those that live. With `owner` only what runs of theirs is told."""
    living = _told(_living(settings, disk, wall), found, owner)
    crew = alive.look(disk, settings.layout)
    names = {one.node for one in living}
    gone = [of_row(row) for row in found.reader.nodes_seen(limit=MOST_GONE + len(names))] if found else []
    return NodesPage(
        nodes=tuple(sorted(living, key=lambda one: one.node)),
        gone=tuple(one for one in gone if one.node not in names)[:MOST_GONE],
        cpus=sum(one.cpus for one in living),
        busy=sum(one.busy for one in living),
        spoold=crew.spoold or "",
        reduced=crew.reduced or "",
        missing=tuple(crew.missing()),
        events=tuple(map(_event, found.reader.events_of_nodes(limit=MOST_EVENTS))) if found else (),
        note=found.note if found else "",
    )


def node(
    settings: Config,
    disk: Disk,
    found: Found | None,
    name: str,
    owner: str = "",
    wall: Callable[[], float] = time.time,
) -> NodePage:
    """Look at one node, by its whole name; `owner` as for `nodes`. Raises NotFound if it was never seen."""
    living = _told([one for one in _living(settings, disk, wall) if one.node == name], found, owner)
    shown = living or ([of_row(row) for row in found.reader.nodes_seen(name, 1)] if found else [])
    if not shown:
        raise NotFound(f"no node {name} was ever seen; `park nodes` lists those that are alive")
    return NodePage(shown[0], tuple(map(_event, found.reader.events_of_nodes(name, MOST_EVENTS))) if found else ())


def _living(settings: Config, disk: Disk, wall: Callable[[], float]) -> list[NodeShown]:
    now = wall()
    return [of_report(report, now, settings.claim_expiry) for report in heard.nodes(disk, settings, wall)]


def _told(living: list[NodeShown], found: Found | None, owner: str) -> list[NodeShown]:
    """Leave out what runs of other users' sessions, where only one's own may be seen."""
    if not owner:
        return living
    own = found.reader.known({job.sid for one in living for job in one.running}, owner) if found else set()
    return [replace(one, running=tuple(job for job in one.running if job.sid in own)) for one in living]


def of_report(one: Report, now: float, silence: float) -> NodeShown:
    """Show what a node says; `silence` is after how many seconds without a word it is called silent."""
    kept = ("node", "host", "state", "cpus", "busy", "load", "memory_total", "memory_available", "memory_limit")
    more = ("tags", "warnings", "version", "python", "system")
    return NodeShown(
        **{name: getattr(one, name) for name in (*kept, *more)},
        why=one.why or "",
        is_alive=True,
        is_silent=one.at is not None and now - one.at > silence,
        seen=one.at,
        running=tuple(map(of_running, one.running)),
        units=len(one.units),
        versions=dict(one.versions),
    )


def of_row(row: NodeRow) -> NodeShown:
    """Show a node that is gone, as it was last seen."""
    last = of_report(reports.read(row.heartbeat), row.seen, float("inf"))
    gone = replace(last, node=row.node, host=row.host, state="gone", seen=row.seen, is_alive=False)
    return replace(gone, busy=0, running=(), units=0, why="")


def _event(row: NodeEventRow) -> NodeEvent:
    return NodeEvent(row.node, row.at, row.what, row.detail)
