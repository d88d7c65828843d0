"""The values that go into the archive and come out of it: plain, frozen, without any SQL.

`Result` is a named tuple and not a dataclass: park-reduced makes one for every job, and a frozen dataclass
of this many fields takes six times as long to make (1.8 µs against 0.3 µs, measured). Times are Unix
seconds; jobs, groups and job lists count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
    replaced: list[tuple[str, int]] = field(default_factory=list)  # (sid, group) where a stored one gave way
    duplicates: int = 0


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


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """What the picture of a group's chi-square shows: the staircase, and the jobs, thinned out if many."""

    row: GroupRow
    steps: list[HistoryRow]
    jobs: list[tuple[float, float]]  # finished, chisq
