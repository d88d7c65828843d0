"""The values that go into the archive and come out of it: plain, frozen, without any SQL.

`Result` is a named tuple and not a dataclass: park-reduced makes one for every job, and a frozen dataclass
of this many fields takes six times as long to make (1.8 µs against 0.3 µs, measured). Times are Unix
seconds; jobs, groups and job lists count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


@dataclass(frozen=True, slots=True)
class SessionRow:
    sid: str
    user: str
    file: str
    state: str
    priority: int
    received: float
    closed: float | None
    jobs: int
    ok: int
    failed: int
    duplicates: int
    best_chisq: float | None
    best_job: str | None
    first_started: float | None
    last_finished: float | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    sid: str
    group: int
    name: str
    task: str
    reducer: str | None
    stopped: str | None  # why the reducer was stopped
    jobs: int
    ok: int
    failed: int
    duplicates: int
    best_chisq: float | None
    best_job: str | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    job: str
    finished: float
    chisq: float
    node: str


@dataclass(frozen=True, slots=True)
class BestRow:
    job: str
    chisq: float
    npoints: int | None
    dof: int | None
    reduced_chisq: float | None
    nllf: float | None
    node: str
    seconds: float
    seed: int | None
    parameters: list[dict[str, Any]]
    curve: dict[str, Any] | None
    output: str


@dataclass(frozen=True, slots=True)
class JobRow:
    job: str
    status: str
    round: int
    attempt: int
    node: str
    started: float
    seconds: float
    finished: float
    chisq: float | None
    npoints: int | None
    dof: int | None
    nllf: float | None
    seed: int | None
    duplicates: int
    why: str | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A job that failed for good."""

    job: str
    status: str
    why: str | None
    exit: int | None
    signal: int | None
    node: str
    round: int
    attempt: int
    seconds: float
    finished: float
    stderr: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """A run that ended nothing: the job was tried again, or cancelled."""

    job: str
    status: str
    why: str | None
    exit: int | None
    signal: int | None
    node: str
    round: int
    attempt: int
    started: float
    seconds: float
    stderr: str | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that a job left; it is kept in `files/SID/SHA256` of the spool."""

    job: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A job that a live node runs; `chisq` and `line` if it says how far it is."""

    job: str
    node: str
    started: float
    seconds: float
    chisq: float | None
    line: str | None


@dataclass(frozen=True, slots=True)
class JobDetail:
    """All that is known of one job; `row` is None while it has no final result."""

    job: str
    row: JobRow | None
    output: str
    exit: int | None
    signal: int | None
    stderr: str | None
    data: dict[str, Any] | None
    attempts: list[AttemptRow]
    files: list[FileRow]
    running: list[RunningRow]


@dataclass(frozen=True, slots=True)
class MessageRow:
    group: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class NodeRow:
    node: str
    host: str
    cpus: int
    state: str
    seen: float
    units: int
    heartbeat: dict[str, object]


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A group with its best fit."""

    row: GroupRow
    best: BestRow | None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """What one look at one session shows, all of one instant."""

    row: SessionRow
    groups: list[GroupPage]
    failures: list[FailureRow]
    messages: list[MessageRow]
    running: list[RunningRow]


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """What the picture of a group's chi-square shows: the staircase, and the jobs, thinned out if many."""

    row: GroupRow
    steps: list[HistoryRow]
    jobs: list[tuple[float, float]]  # finished, chisq
