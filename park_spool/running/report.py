"""What a node says of itself in its heartbeat: who and where it is, what it can, what it does, and how far that is.

Read by spoold (planning), the reducer (progress, bad nodes) and people (`park nodes`). docs/nodes.md lists every key; a
reader takes any of them for missing, since nodes of several versions may share a spool.
"""

from __future__ import annotations

import json
import platform
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import park_spool
from park_spool.attributes import attributes
from park_spool.member import Member
from park_spool.naming import label_of
from park_spool.running.assignment import Running
from park_spool.running.duty import Duty
from park_spool.running.hands import Claim
from park_spool.running.host import Host
from park_spool.running.workshop import Runner, Workshop

SHOWN_AFTER = 1.0  # s that a job must have run before its progress is told
LONGEST_LINE = 4096  # characters of progress: a heartbeat stays small
PACKAGES = ("numpy", "scipy", "refnx", "refl1d", "bumps", "sasmodels", "periodictable", "numba")

Progress = list[tuple[Claim, Running]]


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while a node lives; `memory` is what one job gets at most.

    `alias` is its --name; `started_by` says who started it: how, and by which master and batch job.
    """

    tags: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    memory: int | None = None
    host: Host | None = None
    alias: str = ""
    started_by: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        return {
            **facts(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "versions": dict(self.versions),
            "tags": list(self.tags),
            "warnings": list(self.warnings),
            "memory_limit": self.memory,
            "alias": self.alias,
            "started_by": dict(self.started_by),
        }

    def header(self) -> dict[str, Any]:
        """Return what stands in every reply: where its results come from."""
        return {**facts(), "versions": dict(self.versions)}

    def measured(self) -> dict[str, Any]:
        """Measure what does change; nothing where there is no host to ask (a test)."""
        return {"load": self.host.load(), "memory": self.host.memory()} if self.host else {}


def facts() -> dict[str, str]:
    return {"host": socket.gethostname(), "version": park_spool.__version__, "python": platform.python_version()}


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of the packages that are installed, without importing any."""
    found = {}
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def own_tags(label: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of a node: its host's label, then its other name and those that it was given, each once.

    >>> own_tags("n4", ["fast", "gpu", "gpu"])
    ('n4', 'fast', 'gpu')
    """
    return tuple(dict.fromkeys([label, *given]))


def host_label(member: Member) -> str:
    """Return the first label of this node's host, as its name has it."""
    return label_of(member.name)


def compose(member: Member, shop: Workshop, duty: Duty, progress: Progress) -> dict[str, Any]:
    """Say what a node does now."""
    at_work = shop.at_work
    now, wall = member.monotonic(), member.wall()
    state, why = duty.state(bool(shop.hands.claims))
    return {
        "node": member.name,
        "identity": member.identity.to_json(),
        "cpus": shop.cpus,
        "busy": sum(claim.runner is not None and claim.runner < shop.cpus for claim, _ in at_work),
        "held": sorted(unit.name for unit in shop.hands.claims),
        "running": {claim.unit.name: round(now - claim.since, 3) for claim, _ in at_work},
        "job_seconds": shop.choice.times.seconds,
        "at": wall,
        "state": state,
        "why": why,
        "progress": [entry for claim, running in progress if (entry := progress_entry(claim, running, wall))],
    }


def in_progress(at_work: Iterable[tuple[Claim, Runner]], now: float, wall: float) -> Progress:
    """Return the jobs that have run for a while and have said how far they are."""
    found = []
    for claim, runner in at_work:
        running = runner.running() if now - claim.since >= SHOWN_AFTER else None
        if running is not None and running.progress and wall - running.started >= SHOWN_AFTER:
            found.append((claim, running))
    return found


def progress_entry(claim: Claim, running: Running, wall: float) -> dict[str, Any] | None:
    """Say how far one job is; None if its last line is not to be read."""
    line = running.progress or ""
    chisq = attributes(line).chisq
    if chisq is None:
        return None
    return {
        "sid": claim.unit.sid,
        "group": claim.unit.group,
        "joblist": claim.unit.joblist,
        "job": running.job,
        "started": running.started,
        "seconds": round(max(0.0, wall - running.started), 3),
        "chisq": chisq,
        "line": line if len(line) <= LONGEST_LINE else json.dumps({"chisq": chisq}),
    }
