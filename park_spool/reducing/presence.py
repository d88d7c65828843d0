"""Letting the archive know the nodes, what they run and how far it is; and telling a node that it is bad.

An idle site writes nothing: what has not changed since the last look is not put again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from park_spool import wishes
from park_spool.archive.writing import Archive
from park_spool.member import Member
from park_spool.naming import parse_unit
from park_spool.nodes import Nodes
from park_spool.reducing.blame import Blame

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 1.0  # how often to look while jobs run that say how far they are
NOTED = ("gone", "waiting", "draining", "bad")  # states whose beginning and end are kept
Row = tuple[object, ...]


class Progress(msgspec.Struct, frozen=True):
    """What a heartbeat says of one job that runs."""

    sid: str
    group: int
    joblist: int
    job: int
    started: float
    seconds: float
    chisq: float | None = None
    line: str | None = None


class Presence:
    """One reducer's look at the nodes."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._nodes = Nodes(member)
        self._due = 0.0
        self._put: dict[str, tuple[object, bool]] | None = None
        self._states: dict[str, str] | None = None
        self._running: list[Row] = []
        self._told: set[str] = set()

    def forget(self) -> None:
        """Put everything again: the archive is another one."""
        self._put, self._states, self._running = None, None, []

    @property
    def has_progress(self) -> bool:
        return bool(self._running)

    def step(self, archive: Archive, blame: Blame) -> None:
        """Look at the nodes if it is time to, and put what is new into the archive."""
        now = self._member.monotonic()
        if now < self._due:
            return
        usual = self._member.config.heartbeat_seconds / 4
        if self._member.config.is_shared:
            self._member.disk.refresh(self._member.layout.replies)  # NFS: a listing may stay stale without bound
        self._nodes.look()
        self._put_changed(archive)
        self._tell_bad(blame)
        self._due = now + (min(usual, PROGRESS_SECONDS) if self.has_progress else usual)

    def _put_changed(self, archive: Archive) -> None:
        reports, gone = self._nodes.reports, self._nodes.gone
        seen = {node: (report.get("seq", report.get("at")), node in gone) for node, report in reports.items()}
        if seen == self._put:
            return
        running = [row for node in self._nodes.live for row in running_rows(node, reports[node])]
        rows = {node: node_row(report, is_gone=node in gone) for node, report in reports.items()}
        before = archive.node_states() if self._states is None else self._states
        states = dict.fromkeys(before, "gone") | {node: str(row["state"]) for node, row in rows.items()}
        with archive.transaction():
            archive.mark_gone(reports)
            for node, row in rows.items():
                if self._put is None or seen[node] != self._put.get(node):
                    archive.put_node(row)
            for node, state in states.items():
                if what := happened(before.get(node), state):
                    archive.add_node_event(node, self._member.wall(), what, detail(what, rows.get(node, {})))
            if running != self._running or self._put is None:
                archive.put_running(running)
        self._put, self._states, self._running = seen, states, running

    def _tell_bad(self, blame: Blame) -> None:
        """Create `notices/NODE.bad`: at that instant the node is told to claim nothing more."""
        for node, why in blame.bad(self._nodes.live).items():
            if node in self._told:
                continue
            self._told.add(node)
            words = json.dumps({"why": why}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
            if self._member.disk.create(self._member.layout.notices / wishes.notice_name(node, "bad"), words):
                log.warning("node %s is bad and claims nothing more: %s", node, why)


def node_row(report: Mapping[str, Any], is_gone: bool) -> dict[str, Any]:
    """Return what the archive keeps of a heartbeat: all of it, and the state in a word.

    >>> node_row({"node": "n", "at": 5.0, "held": ["u"]}, is_gone=False)["state"]
    'working'
    """
    held = report.get("held", [])
    state = "gone" if is_gone else report.get("state") or ("working" if held else "idle")
    return {**report, "state": state, "seen": report.get("at", 0.0), "units": held}


def happened(before: str | None, now: str) -> str | None:
    """Say what happened to a node, from its states at two looks; None if nothing that is worth a line.

    >>> happened(None, "idle"), happened("idle", "working"), happened("working", "gone"), happened("gone", "idle")
    ('appeared', None, 'gone', 'appeared')
    >>> happened("idle", "waiting"), happened("waiting", "working"), happened("bad", "bad")
    ('waiting', 'back', None)
    """
    if now == before:
        return None
    if now != "gone" and before in (None, "gone"):
        return "appeared"
    if now in NOTED:
        return now
    return "back" if before in NOTED else None


def detail(what: str, row: Mapping[str, Any]) -> str:
    """Say more of what happened: what appeared, or why it is as it is.

    >>> detail("appeared", {"host": "n4", "cpus": 2, "version": "0.1.0"}), detail("bad", {"why": "3 jobs failed"})
    ('n4, 2 CPUs, park-spool 0.1.0', '3 jobs failed')
    """
    if what == "appeared":
        return f"{row.get('host', '?')}, {row.get('cpus', '?')} CPUs, park-spool {row.get('version', '?')}"
    return str(row.get("why") or "")


def running_rows(node: str, report: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each job that a heartbeat says is running: those with progress, then units of one job."""
    told = set()
    for entry in report.get("progress") or ():
        try:
            job = msgspec.convert(entry, Progress)
        except msgspec.ValidationError:
            continue  # of another version
        told.add((job.sid, job.group, job.joblist, job.job))
        yield (*(job.sid, job.group, job.joblist, job.job, node), job.started, job.seconds, job.chisq, job.line)
    for name, seconds in (report.get("running") or {}).items():
        unit = parse_unit(name)
        if unit is not None and unit.size == 1 and (unit.sid, *unit.key, unit.start) not in told:
            started = float(report.get("at", 0.0)) - float(seconds)
            yield (unit.sid, *unit.key, unit.start, node, started, float(seconds), None, None)
