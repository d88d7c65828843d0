"""The values that come out of the archive: plain, frozen, without any SQL. What goes into it is in entries.py.

Times are Unix seconds; jobs, groups and job lists count from 1; a job is written `group.joblist.job`. fit_rows.py has
what fits say: parameters, curves, batches, data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions are wanted; None is any. `text` is part of id, user, file, or the name or task of a group.

    `service` is the task of a group, or what stands before its first `/`; `owner` is whose sessions may be seen at all.
    """

    user: str | None = None
    state: str | None = None
    text: str | None = None
    service: str | None = None
    owner: str | None = None
    hides_deleted: bool = False  # unless that is the state that is wanted


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
    """What a reducer said; `number` counts in its group from 1, and anew when the reducer begins anew."""

    group: int
    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to a session; `key` is the name on the spool that tells of it, `at` None where it does not say."""

    key: str
    at: float | None
    what: str
    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class NodeEventRow:
    """What the reducer saw of a node."""

    node: str
    at: float
    what: str
    detail: str


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
