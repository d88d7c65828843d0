"""What the live nodes say together: how much there is to plan for.

Pure. A report comes from another process, perhaps of another version: what is missing or odd in it counts as not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from park_spool import tags
from park_spool.naming import Unit, label_of, parse_unit

CLAIMING = ("idle", "working")


@dataclass(frozen=True, slots=True)
class NodeView:
    """One live node: CPUs (jobs at a time), how many are busy, the tags it carries, seconds that each unit has run.

    `is_claiming` is False while it leaves, waits for its host to be idle, or was found bad.
    """

    name: str
    cpus: int
    busy: int = 0
    tags: frozenset[str] = frozenset()
    running: Mapping[Unit, float] = field(default_factory=dict)
    is_claiming: bool = True


@dataclass(frozen=True, slots=True)
class Cluster:
    """All CPUs of the live nodes, and seconds a job for each (sid, group, job list) that they have run."""

    cpus: int
    job_seconds: Mapping[tuple[str, int, int], float]
    nodes: tuple[NodeView, ...] = ()

    def cpus_for(self, tag: str) -> int:
        """Return how many CPUs may claim under a tag now."""
        return sum(node.cpus for node in self._suiting(tag))

    def idle_for(self, tag: str) -> int:
        """Return how many CPUs that may claim under a tag have nothing to do."""
        return sum(max(0, node.cpus - node.busy) for node in self._suiting(tag))

    def _suiting(self, tag: str) -> list[NodeView]:
        return [node for node in self.nodes if node.is_claiming and tags.suits(tag, node.tags | {tags.COMMAND})]


def add_up(reports: Mapping[str, Mapping[str, Any]]) -> Cluster:
    """Add up what nodes report, by name; of several times for one job list the longest counts.

    >>> add_up({"n4_4711_x0p2qa": {"cpus": 4, "busy": "?", "tags": ["n4", "gpu"]}}).cpus_for("gpu")
    4
    """
    seconds: dict[tuple[str, int, int], float] = {}
    for report in reports.values():
        for key, value in _job_seconds(report).items():
            seconds[key] = max(value, seconds.get(key, 0.0))
    nodes = tuple(view(node, report) for node, report in reports.items())
    return Cluster(sum(node.cpus for node in nodes), seconds, nodes)


def view(node: str, report: Mapping[str, Any]) -> NodeView:
    """Read one report. An older version says nothing of tags and state: it carries its host's label, and claims."""
    carried = report.get("tags")
    own = label_of(node)
    return NodeView(
        node,
        _count(report.get("cpus")),
        _count(report.get("busy")),
        frozenset(map(str, carried)) if isinstance(carried, list) else frozenset({own}),
        {unit: seconds for name, seconds in _seconds(report, "running").items() if (unit := parse_unit(name))},
        report.get("state", "idle") in CLAIMING,
    )


def _job_seconds(report: Mapping[str, Any]) -> dict[tuple[str, int, int], float]:
    words = {tuple(word.split("/")): value for word, value in _seconds(report, "job_seconds").items()}
    return {
        (word[0], int(word[1]), int(word[2])): value
        for word, value in words.items()
        if len(word) == 3 and word[1].isdecimal() and word[2].isdecimal()
    }


def _seconds(report: Mapping[str, Any], key: str) -> dict[str, float]:
    """Read a mapping to times; what is no time is left out."""
    fields = report.get(key)
    if not isinstance(fields, dict):
        return {}
    return {str(name): float(value) for name, value in fields.items() if _is_number(value) and value >= 0}


def _count(value: object) -> int:
    return max(0, int(value)) if isinstance(value, (int, float)) and _is_number(value) else 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15
