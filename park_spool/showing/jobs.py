"""The jobs of a session as a table, and one job with its log.

Finished jobs are paged out of the archive; what runs comes from the nodes' heartbeats, what waits is what is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from park_spool import intervals, job_names, recorded
from park_spool.archive.job_table import COLUMNS, MOST_COUNTED, JobsWanted, TableRow
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import RunningRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.intervals import Intervals
from park_spool.sessions.session import Session

STATES = ("", "ok", "bad", "failed", "timeout", "cancelled", "lost", "running", "waiting")
MOST_SIZE = 1000

Key = tuple[int, int]  # (group, job list)


@dataclass(frozen=True, slots=True)
class JobsAsked:
    """What the table is asked for; an empty text, and group 0, is any. `page` counts from 1.

    `state`: a status of the archive, `bad` (all that are not ok), `running` or `waiting`. `text` is part of why a job
    failed. `descending` None: the order that comes first for a column.
    """

    state: str = ""
    group: int = 0
    node: str = ""
    dataset: str = ""
    text: str = ""
    sort: str = "job"
    descending: bool | None = None
    page: int = 1
    size: int = 100


@dataclass(frozen=True, slots=True)
class JobShown:
    """A job. `state` is its status, `running` or `waiting`; `seconds` of one that runs are those so far.

    `line` is what a running job said last. `attempt` counts from 0.
    """

    job: str
    state: str
    node: str = ""
    started: float | None = None
    seconds: float | None = None
    finished: float | None = None
    chisq: float | None = None
    reduced_chisq: float | None = None
    npoints: int | None = None
    dof: int | None = None
    nllf: float | None = None
    seed: int | None = None
    dataset: str = ""
    round: int = 0
    attempt: int = 0
    duplicates: int = 0
    why: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class JobsPage:
    """A page of the table: `total` rows are as asked for (`is_more`: at least so many).

    Beside it how many jobs there are in all, how many run and wait, and, on the first page of a table of any state,
    those that run. `sorts` are the columns it can be sorted by.
    """

    sid: str
    rows: tuple[JobShown, ...]
    total: int
    is_more: bool
    page: int
    pages: int
    size: int
    jobs: int
    ok: int
    failed: int
    waiting: int
    running: tuple[JobShown, ...]
    sorts: tuple[str, ...] = tuple(COLUMNS)
    states: tuple[str, ...] = STATES[1:]


def jobs(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, asked: JobsAsked) -> JobsPage:
    """Return a page of the table of jobs.

    Raises NotFound if there is no such session, state or column, PermanentError, in a sentence, where too many jobs
    would have to be looked through.
    """
    if not (1 <= asked.size <= MOST_SIZE and asked.page >= 1):
        raise NotFound(f"expected a page from 1 on and 1 to {MOST_SIZE} jobs on it, got {asked.page}, {asked.size}")
    if asked.state not in STATES:
        raise NotFound(f"there is no state {asked.state!r} of jobs: expected one of {', '.join(STATES[1:])}")
    row = reader.session(sid)
    running = [of_running(one) for one in reader.running(row.sid)]
    rows, total = _rows(settings, disk, reader, row.sid, asked, running)
    left = 0 if row.closed is not None else max(row.jobs - row.ok - row.failed - len(running), 0)
    return JobsPage(
        sid=row.sid,
        rows=rows,
        total=total,
        is_more=total >= MOST_COUNTED and bool(asked.state or asked.sort != "job"),
        page=asked.page,
        pages=max(1, math.ceil(total / asked.size)),
        size=asked.size,
        jobs=row.jobs,
        ok=row.ok,
        failed=row.failed,
        waiting=left,
        running=tuple(running) if asked.page == 1 and not asked.state else (),
    )


def _rows(
    settings: Config, disk: Disk, reader: ArchiveReader, sid: str, asked: JobsAsked, running: list[JobShown]
) -> tuple[tuple[JobShown, ...], int]:
    offset = (asked.page - 1) * asked.size
    if asked.state == "running":
        found = [one for one in running if _is_asked(one, asked)]
        return tuple(found[offset : offset + asked.size]), len(found)
    if asked.state == "waiting":
        left = waiting(_sizes(settings, disk, reader, sid), reader, sid, running)
        left = {key: pieces for key, pieces in left.items() if asked.group in (0, key[0])}
        names = islice(_names(left), offset, offset + asked.size)
        return tuple(JobShown(name, "waiting") for name in names), sum(map(intervals.total, left.values()))
    rows, total = reader.job_table(sid, _wanted(reader, sid, asked), asked.size, offset)
    return tuple(map(of_row, rows)), total


def _wanted(reader: ArchiveReader, sid: str, asked: JobsAsked) -> JobsWanted:
    """Say it to the archive; a session's only group is the one that is meant, since that is quicker."""
    group = asked.group
    if not group and (asked.sort == "chisq" or asked.dataset):
        groups = reader.groups(sid)
        group = groups[0].group if len(groups) == 1 else 0
    head = (group, asked.state, asked.node, asked.dataset, asked.text)
    return JobsWanted(*head, asked.sort, asked.descending)


def _is_asked(one: JobShown, asked: JobsAsked) -> bool:
    is_group = asked.group in (0, job_names.read_one(one.job)[0])
    return is_group and (not asked.node or one.node == asked.node or one.node.startswith(f"{asked.node}_"))


def _sizes(settings: Config, disk: Disk, reader: ArchiveReader, sid: str) -> dict[Key, int]:
    found = recorded.find(disk, settings.layout, reader, sid)
    return {} if found is None else found[1].session.sizes()


def waiting(
    sizes: Mapping[Key, int], reader: ArchiveReader, sid: str, running: Iterable[JobShown]
) -> dict[Key, Intervals]:
    """Return the jobs that have no result and do not run, for each (group, job list)."""
    final, now = reader.final_jobs(sid), job_names.several(one.job for one in running)
    left = {}
    for key, size in sizes.items():
        taken = intervals.union([*final.get(key, []), *now.get(key, [])])
        left[key] = intervals.subtract([(1, size + 1)], taken) if size else []
    return left


def _names(jobs: Mapping[Key, Intervals]) -> Iterator[str]:
    for (group, joblist), pieces in sorted(jobs.items()):
        for start, stop in pieces:
            yield from (f"{group}.{joblist}.{job}" for job in range(start, stop))


def of_row(row: TableRow) -> JobShown:
    """Show a finished job."""
    kept = ("job", "node", "started", "seconds", "finished", "chisq", "reduced_chisq", "npoints", "dof", "nllf")
    more = ("seed", "round", "attempt", "duplicates")
    named = {name: getattr(row, name) for name in (*kept, *more)}
    return JobShown(**named, state=row.status, dataset=row.dataset or "", why=row.why or "")


def of_running(row: RunningRow) -> JobShown:
    """Show a job that runs."""
    one = JobShown(row.job, "running", row.node, row.started, row.seconds, chisq=row.chisq)
    return replace(one, line=row.line or "")


def input_of(session: Session, key: tuple[int, int, int]) -> dict[str, str]:
    """Return the attributes of a job's input; none of a job that the session does not have."""
    group, joblist, job = key
    if job > session.sizes().get((group, joblist), 0):
        return {}
    return dict(session.groups[group - 1].joblists[joblist - 1].input(job).attributes)
