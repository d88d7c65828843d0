"""What a node says of itself in its heartbeat, fit to be shown; what an older node does not say is left open.

Heartbeats are written by other machines, perhaps by other versions: whatever is odd in one is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from park_spool.errors import NotFound
from park_spool.naming import Unit, parse_unit

MOST = 1e300  # a whole number beyond it has no float
MOST_AGE = 300.0  # s: a heartbeat that seems older was written by a clock that is wrong, or its node is silent


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that a node runs now; `chisq` is the best that it has said so far."""

    node: str
    sid: str
    job: str
    seconds: float | None
    chisq: float | None
    line: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """One node. Sizes in bytes, times in seconds, `at` Unix time by the node's own clock."""

    node: str
    host: str
    state: str
    why: str | None
    cpus: int
    busy: int
    load: tuple[float, ...]
    memory_total: float | None
    memory_available: float | None
    memory_limit: float | None
    running: tuple[RunningJob, ...]
    units: Mapping[str, float]
    tags: tuple[str, ...]
    warnings: tuple[str, ...]
    version: str
    python: str
    system: str
    versions: Mapping[str, str]
    at: float | None
    alias: str = ""
    started_by: str = ""

    @property
    def name_words(self) -> set[str]:
        """Return what users may call it besides its name: its host, its host's first label, its aliases and tags."""
        return {self.host.lower(), self.host.partition(".")[0].lower(), *self.tags}


def read(report: Mapping[str, Any], notice: str | None = None, now: float | None = None) -> Report:
    """Read a heartbeat; `notice` is what stands beside it ("drain" or "bad"), which counts before the node has seen it.

    `now` is Unix time: what has passed since the heartbeat is added to the times of what runs.

    >>> one = read({"node": "n4_4711_x0p2qa", "cpus": 2, "busy": 1, "load": "high"})
    >>> one.host, one.state, one.load
    ('n4', 'working', ())
    """
    node = str(report.get("node", ""))
    cpus, busy = int(number(report.get("cpus")) or 0), int(number(report.get("busy")) or 0)
    memory = _mapping(report.get("memory"))
    state = str(report.get("state") or ("working" if busy else "idle"))
    return Report(
        node=node,
        host=str(report.get("host") or node.partition("_")[0]),
        state={"drain": "draining", "bad": "bad"}.get(notice or "", state),
        why=str(report["why"]) if report.get("why") else None,
        cpus=cpus,
        busy=busy,
        load=tuple(value for value in map(number, _list(report.get("load"))) if value is not None),
        memory_total=number(memory.get("total")),
        memory_available=number(memory.get("available")),
        memory_limit=number(report.get("memory_limit")),
        running=tuple(_running(node, report, _age(report, now))),
        units={unit: number(seconds) or 0.0 for unit, seconds in _mapping(report.get("running")).items()},
        tags=tuple(map(str, _list(report.get("tags")))),
        warnings=tuple(map(str, _list(report.get("warnings")))),
        version=str(report.get("version") or ""),
        python=str(report.get("python") or ""),
        system=str(report.get("system") or ""),
        versions={name: str(version) for name, version in _mapping(report.get("versions")).items()},
        at=number(report.get("at")),
        alias=str(report.get("alias") or ""),
        started_by=str(_mapping(report.get("started_by")).get("how") or ""),
    )


def _age(report: Mapping[str, Any], now: float | None) -> float:
    """Return how old a heartbeat is, by two clocks; nothing where they cannot both be right."""
    at = number(report.get("at"))
    age = now - at if now is not None and at is not None else 0.0
    return age if 0.0 < age < MOST_AGE else 0.0


def _running(node: str, report: Mapping[str, Any], age: float) -> Iterable[RunningJob]:
    """Yield the jobs that run now; of what no progress is told yet the unit is known."""
    entries = [entry for entry in _list(report.get("progress")) if isinstance(entry, dict)]
    for entry in entries:
        job = ".".join(str(entry.get(key, "?")) for key in ("group", "joblist", "job"))
        line = str(entry["line"]) if entry.get("line") else None
        sid, seconds = str(entry.get("sid", "")), _later(entry.get("seconds"), age)
        yield RunningJob(node, sid, job, seconds, number(entry.get("chisq")), line)
    for name, seconds in _mapping(report.get("running")).items():
        unit = parse_unit(str(name))
        if unit is not None and not any(_is_of(entry, unit) for entry in entries):
            last = f"-{unit.stop - 1}" if unit.size > 1 else ""
            job = f"{unit.group}.{unit.joblist}.{unit.start}{last}"
            yield RunningJob(node, unit.sid, job, _later(seconds, age), None, None)


def _is_of(entry: Mapping[str, Any], unit: Unit) -> bool:
    """Say whether a job that runs is one of a unit's."""
    job = number(entry.get("job"))
    is_list = (entry.get("sid"), entry.get("group"), entry.get("joblist")) == (unit.sid, *unit.key)
    return is_list and job is not None and unit.start <= job < unit.stop


def _later(seconds: object, age: float) -> float | None:
    known = number(seconds)
    return None if known is None else known + age


def number(value: object) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def find(word: str, reports: Iterable[Report]) -> Report:
    """Return the node that a user means by its name, the beginning of it, its host, an alias or a tag.

    Raises NotFound if there is none, or more than one.
    """
    several = list(reports)
    wanted = word.lower()
    for matching in (
        [one for one in several if one.node == wanted],
        [one for one in several if one.node.startswith(wanted)],
        [one for one in several if wanted in one.name_words],
    ):
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(sorted(one.node for one in matching))
            raise NotFound(f"{word!r} means several nodes ({names}); give more of the name")
    raise NotFound(f"no node is called {word!r}; `park nodes` lists those that are alive")
