"""The values that go into the archive: plain, frozen, without any SQL. What comes out of it is in rows.py.

`Result` is a named tuple and not a dataclass: park-reduced makes one for every job, and a frozen dataclass
of this many fields takes six times as long to make (1.8 µs against 0.3 µs, measured). Times are Unix
seconds; jobs, groups and job lists count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from park_spool.replies import KeptFile

JobKey = tuple[str, int, int, int]  # sid, group, job list, job
JobListKey = tuple[str, int, int]  # sid, group, job list


class Result(NamedTuple):
    """The result of one job from one run of it."""

    sid: str
    group: int
    joblist: int
    job: int
    status: str  # ok, failed, timeout, cancelled, lost
    round: int
    attempt: int
    node: str
    started: float
    seconds: float
    output: str = ""
    why: str | None = None
    exit: int | None = None
    signal: int | None = None
    stderr: str | None = None
    data: dict[str, str] | None = None
    files: Mapping[str, KeptFile] | None = None
    is_final: bool = True
    dataset: str | None = None  # the data set that the job is about (sessions/datasets.py)

    @property
    def key(self) -> JobKey:
        return self[:4]

    @property
    def finished(self) -> float:
        return self.started + self.seconds

    @property
    def name(self) -> str:
        """Return the job's name as users write it: `group.joblist.job`."""
        return f"{self.group}.{self.joblist}.{self.job}"


class Block(NamedTuple):
    """Results of consecutive jobs, from `start` on, that one run of them had: all ok, with nothing but outputs."""

    sid: str
    group: int
    joblist: int
    start: int
    round: int
    attempt: int
    node: str
    started: list[float]
    seconds: list[float]
    outputs: list[str]


class DataSet(NamedTuple):
    """A data set that jobs of a group read: its name and place as the session has them, the digest of what was read."""

    sid: str
    group: int
    name: str
    sha256: str
    href: str


class Provenance(NamedTuple):
    """What ran jobs of a group; `versions` is JSON: those of the libraries on the node."""

    sid: str
    group: int
    node: str
    host: str
    version: str
    python: str
    service: str
    service_digest: str
    versions: str


class FailureElsewhere(NamedTuple):
    """A job failed on `node` that was ok on another one."""

    node: str
    sid: str
    job: str
    why: str


class HistoryPoint(NamedTuple):
    """One finished job with a chisq; tuples of this compare in the order of finishing."""

    finished: float
    joblist: int
    job: int
    chisq: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch of results."""

    accepted: list[Result] = field(default_factory=list)  # newly stored finals, in input order
    replacing: list[Result] = field(default_factory=list)  # finals before which a stored one gave way
    duplicates: int = 0

    @property
    def replaced(self) -> list[tuple[str, int]]:
        """Return the (sid, group) where a stored result gave way."""
        return sorted({(result.sid, result.group) for result in self.replacing})
