"""The questions about single jobs: what became of one, what was tried, what was left, what runs now."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from typing import Any

from park_spool import intervals
from park_spool.errors import NotFound
from park_spool.intervals import Intervals

from .queries import JOB_NAME
from .rows import AttemptRow, FileRow, JobDetail, JobRow, RunningRow

ALL = -1  # as a limit
_THIS_JOB = "sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?"
_JOB_COLUMNS = f"""{JOB_NAME}, status, round, attempt, node, started, seconds, finished,
    chisq, npoints, dof, nllf, seed, duplicates, why"""
_OF_JOBS = "FROM jobs LEFT JOIN results USING (sid, group_number, joblist_number, job_number)"
_JOBS = f"""
  SELECT {_JOB_COLUMNS} {_OF_JOBS}
  WHERE sid = ? AND (group_number, joblist_number, job_number) >= (?, ?, ?)
  ORDER BY group_number, joblist_number, job_number LIMIT ?"""
_RANGES = "SELECT group_number, joblist_number, start, stop FROM final_ranges WHERE sid = ? ORDER BY 1, 2, 3"
_JOB = f"SELECT {_JOB_COLUMNS} {_OF_JOBS} WHERE {_THIS_JOB}"
_SAID = f"SELECT output, exit, signal, stderr, data FROM results WHERE {_THIS_JOB}"
_HAS_JOB = """
  SELECT 1 FROM joblists WHERE sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND ?4 BETWEEN 1 AND jobs"""
_ATTEMPTS = f"""
  SELECT {JOB_NAME}, status, why, exit, signal, node, round, attempt, started, seconds, stderr FROM attempts
  WHERE {{}} ORDER BY group_number, joblist_number, job_number, round, attempt, node LIMIT ?"""
_FILES = f"""
  SELECT {JOB_NAME}, name, sha256, size FROM files
  WHERE {{}} ORDER BY group_number, joblist_number, job_number, name"""
# A heartbeat is a moment old: what has its final result by now does not run, nor does a session that is closed.
_RUNNING = f"""
  SELECT {JOB_NAME}, node, started, seconds, chisq, line FROM running r
  WHERE {{}} AND NOT EXISTS (
    SELECT 1 FROM jobs j WHERE j.sid = r.sid AND j.group_number = r.group_number
    AND j.joblist_number = r.joblist_number AND j.job_number = r.job_number)
  AND EXISTS (SELECT 1 FROM sessions s WHERE s.sid = r.sid AND s.closed IS NULL)
  ORDER BY group_number, joblist_number, job_number, node"""
_NOT_OK = """
  SELECT group_number, joblist_number, job_number FROM jobs INDEXED BY jobs_not_ok
  WHERE sid = ? AND status <> 'ok'"""


def jobs(connection: sqlite3.Connection, sid: str, limit: int, offset: int) -> list[JobRow]:
    """Return finished jobs in the order of their names; the last page costs what the first does."""
    place = _place(connection, sid, offset)
    return [] if place is None else [JobRow(**row) for row in connection.execute(_JOBS, (sid, *place, limit))]


def _place(connection: sqlite3.Connection, sid: str, offset: int) -> tuple[int, int, int] | None:
    """Return the finished job that has so many before it; None if there are no more."""
    for group, joblist, start, stop in connection.execute(_RANGES, (sid,)):
        if offset < stop - start:
            return group, joblist, start + offset
        offset -= stop - start
    return None


def jobs_after(connection: sqlite3.Connection, sid: str, key: tuple[int, int, int], limit: int) -> list[JobRow]:
    group, joblist, job = key
    return [JobRow(**row) for row in connection.execute(_JOBS, (sid, group, joblist, job + 1, limit))]


def job(connection: sqlite3.Connection, sid: str, group: int, joblist: int, number: int) -> JobDetail:
    """Return all that is known of one job; NotFound if the session has no such job."""
    key = (sid, group, joblist, number)
    if connection.execute(_HAS_JOB, key).fetchone() is None:
        raise NotFound(f"session {sid} has no job {group}.{joblist}.{number}")
    row = connection.execute(_JOB, key).fetchone()
    output, exit_, signal, stderr, data = connection.execute(_SAID, key).fetchone() or ("", None, None, None, None)
    return JobDetail(
        f"{group}.{joblist}.{number}",
        JobRow(**row) if row else None,
        *(output, exit_, signal, stderr, None if data is None else json.loads(data)),
        attempts=_attempts(connection, _THIS_JOB, key, ALL),
        files=_files(connection, _THIS_JOB, key),
        running=_running(connection, _THIS_JOB, key),
    )


def attempts(connection: sqlite3.Connection, sid: str, limit: int) -> list[AttemptRow]:
    return _attempts(connection, "sid = ?", (sid,), limit)


def files(connection: sqlite3.Connection, sid: str, key: tuple[int, int, int] | None) -> list[FileRow]:
    return _files(connection, "sid = ?", (sid,)) if key is None else _files(connection, _THIS_JOB, (sid, *key))


def running(connection: sqlite3.Connection, sid: str) -> list[RunningRow]:
    return _running(connection, "sid = ?", (sid,))


def failed_jobs(connection: sqlite3.Connection, sid: str) -> dict[tuple[int, int], Intervals]:
    """Return the jobs that failed for good, for each (group, job list)."""
    found: defaultdict[tuple[int, int], Intervals] = defaultdict(list)
    for group, joblist, number in connection.execute(_NOT_OK, (sid,)):
        found[group, joblist].append((number, number + 1))
    return {key: intervals.union(pieces) for key, pieces in found.items()}


def _attempts(connection: sqlite3.Connection, where: str, values: tuple[Any, ...], limit: int) -> list[AttemptRow]:
    return [AttemptRow(**row) for row in connection.execute(_ATTEMPTS.format(where), (*values, limit))]


def _files(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[FileRow]:
    return [FileRow(**row) for row in connection.execute(_FILES.format(where), values)]


def _running(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[RunningRow]:
    return [RunningRow(**row) for row in connection.execute(_RUNNING.format(where), values)]
