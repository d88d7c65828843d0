"""The finished jobs of a session as a table: filtered, sorted by a column, a page at a time.

by job                     by the primary key; the last page costs what the first does
by chisq, of one group     by jobs_by_chisq
those that failed          by jobs_not_ok
of one data set            by jobs_by_dataset
anything else              all jobs that are left are looked through: of more than MOST_SORTED it is refused
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from park_spool.errors import NotFound, PermanentError

from .queries import JOB_NAME

MOST_SORTED = 200_000  # jobs that are looked through for one page
MOST_SKIPPED = 200_000  # rows before a page that is not in the order of the jobs
MOST_COUNTED = MOST_SKIPPED + 1
COLUMNS = {
    "job": "",
    "chisq": "j.chisq",
    "seconds": "j.seconds",
    "finished": "j.finished",
    "node": "j.node",
}
DOWN = frozenset({"seconds", "finished"})  # the largest first by itself
_KEY = "j.group_number, j.joblist_number, j.job_number"
_ROW = f"""
  SELECT {JOB_NAME}, j.status, j.round, j.attempt, j.node, j.started, j.seconds, j.finished, j.chisq,
    j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed, j.dataset, j.duplicates, r.why"""
_RESULTS = "LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)"
_RANGES = "SELECT group_number, joblist_number, start, stop FROM final_ranges WHERE sid = ? ORDER BY 1, 2, 3"
_FINAL = "SELECT ifnull(sum(ok), 0) + ifnull(sum(failed), 0) FROM joblists WHERE sid = ?"

_BAD = "SELECT ifnull(sum(failed), 0) FROM joblists WHERE sid = :sid"


@dataclass(frozen=True, slots=True)
class JobsWanted:
    """Which finished jobs of a session are wanted, and in which order; an empty text, or 0, is any.

    `status` is one of the archive's, or `bad` for all that are not ok; `text` is part of why a job failed.
    """

    group: int = 0
    status: str = ""
    node: str = ""
    dataset: str = ""
    text: str = ""
    sort: str = "job"
    descending: bool | None = None

    @property
    def is_of_bad(self) -> bool:
        """Whether only jobs that are not ok can be wanted: an index knows these."""
        return self.status not in ("", "ok") or bool(self.text)

    @property
    def is_any(self) -> bool:
        return not (self.group or self.status or self.node or self.dataset or self.text)

    @property
    def is_down(self) -> bool:
        return self.sort in DOWN if self.descending is None else self.descending


@dataclass(frozen=True, slots=True)
class TableRow:
    """A finished job; `chisq` is the plain sum, times are Unix seconds."""

    job: str
    status: str
    round: int
    attempt: int
    node: str
    started: float
    seconds: float
    finished: float
    chisq: float | None
    reduced_chisq: float | None
    npoints: int | None
    dof: int | None
    nllf: float | None
    seed: int | None
    dataset: str | None
    duplicates: int
    why: str | None


def table(
    connection: sqlite3.Connection, sid: str, wanted: JobsWanted, limit: int, offset: int
) -> tuple[list[TableRow], int]:
    """Return a page of the finished jobs that are wanted, and how many these are, as far as they are counted.

    Raises NotFound if jobs are not sorted by that, PermanentError where too many would have to be looked through.
    """
    if wanted.sort not in COLUMNS:
        raise NotFound(f"jobs are not sorted by {wanted.sort!r}: expected one of {', '.join(COLUMNS)}")
    (final,) = connection.execute(_FINAL, (sid,)).fetchone()
    if wanted.is_any and wanted.sort == "job":
        return _in_order(connection, sid, wanted.is_down, final, limit, offset), final
    source, where, values = _source(sid, wanted)
    is_indexed = wanted.is_of_bad or bool(wanted.dataset and wanted.group)
    by_chisq = wanted.sort == "chisq" and wanted.group and not (wanted.status or wanted.node or wanted.text)
    in_place = wanted.sort == "job" and not (wanted.node or wanted.dataset)
    if not (is_indexed or by_chisq or in_place) and final > MOST_SORTED:
        raise PermanentError(_too_many(wanted, final))
    if offset > MOST_SKIPPED:
        raise PermanentError(f"page by page no more than {MOST_SKIPPED:,} jobs are shown so: filter, or sort by job")
    if by_chisq and not wanted.dataset:
        source = "jobs j INDEXED BY jobs_by_chisq"
    total = _count(connection, wanted, source, where, values)
    rows = connection.execute(
        f"SELECT {_KEY} FROM {source} WHERE {where} ORDER BY {_order(wanted)} LIMIT :limit OFFSET :offset",
        {**values, "limit": limit, "offset": offset},
    )
    return [row for key in rows.fetchall() if (row := _row(connection, sid, tuple(key)))], total


def _source(sid: str, wanted: JobsWanted) -> tuple[str, str, dict[str, Any]]:
    """Return the table with the index that fits, and the condition on its rows."""
    source, where = "jobs j", ["j.sid = :sid"]
    if wanted.is_of_bad:
        source, where = "jobs j INDEXED BY jobs_not_ok", [*where, "j.status <> 'ok'"]
    elif wanted.dataset and wanted.group:
        source, where = "jobs j INDEXED BY jobs_by_dataset", [*where, "j.dataset IS NOT NULL"]
    if wanted.group:
        where.append("j.group_number = :group")
    if wanted.sort == "chisq":
        where.append("j.chisq IS NOT NULL")  # what has none stands in no order of it
    if wanted.status not in ("", "bad"):
        where.append("j.status = :status")
    if wanted.node:
        where.append("(j.node = :node OR substr(j.node, 1, length(:node) + 1) = :node || '_')")
    if wanted.dataset:
        where.append("j.dataset = :dataset")
    if wanted.text:
        source += f" {_RESULTS}"
        where.append("instr(lower(r.why), lower(:text))")
    named = {name: getattr(wanted, name) for name in ("group", "status", "node", "dataset", "text")}
    return source, " AND ".join(where), {"sid": sid, **named}


def _order(wanted: JobsWanted) -> str:
    down = "DESC" if wanted.is_down else ""
    if not COLUMNS[wanted.sort]:
        return ", ".join(f"{column} {down}" for column in _KEY.split(", "))
    if wanted.sort == "chisq":  # as the index has them
        return f"j.chisq {down}, j.finished {down}, j.joblist_number {down}, j.job_number {down}"
    return f"{COLUMNS[wanted.sort]} {down}, {_KEY}"


def _count(connection: sqlite3.Connection, wanted: JobsWanted, source: str, where: str, values: dict[str, Any]) -> int:
    is_known = wanted.status == "bad" and not (wanted.group or wanted.node or wanted.dataset or wanted.text)
    counted = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where} LIMIT {MOST_COUNTED})"
    (number,) = connection.execute(_BAD if is_known and wanted.sort != "chisq" else counted, values).fetchone()
    return int(number)


def _row(connection: sqlite3.Connection, sid: str, key: tuple[int, ...]) -> TableRow | None:
    row = connection.execute(
        f"{_ROW} FROM jobs j {_RESULTS} WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?",
        (sid, *key),
    ).fetchone()
    return TableRow(**row) if row else None


def _in_order(
    connection: sqlite3.Connection, sid: str, is_down: bool, final: int, limit: int, offset: int
) -> list[TableRow]:
    """Return a page in the order of the jobs, found by the ranges of those that are final."""
    first = max(final - offset - limit, 0) if is_down else offset
    count = min(limit, final - offset) if is_down else limit
    keys: list[tuple[int, int, int]] = []
    for group, joblist, start, stop in connection.execute(_RANGES, (sid,)).fetchall():
        size = stop - start
        if first < size and len(keys) < count:
            last = min(start + first + count - len(keys), stop)
            keys += [(group, joblist, job) for job in range(start + first, last)]
        first = max(first - size, 0)
    found = [row for key in keys if (row := _row(connection, sid, key))]
    return found[::-1] if is_down else found


def _too_many(wanted: JobsWanted, final: int) -> str:
    what = f"sorted by {wanted.sort}" if wanted.sort not in ("job", "chisq") else "filtered so"
    if wanted.sort == "chisq" and not wanted.group:
        what = "sorted by chisq over all groups"
    return (
        f"{final:,} jobs are too many to be {what}: more than {MOST_SORTED:,}. Choose a group and sort by chisq, "
        "show those that failed, or one data set of a group; or ask the archive in SQL (docs/archive.md)"
    )
