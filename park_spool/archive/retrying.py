"""Apply a retry: jobs that it names and that failed for good in an earlier round become attempts.

What was final in `jobs` or lost to another in `duplicates` goes to `attempts`, as if the retry had been known before
the results came in: every order of arrival gives the same rows. All of it runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from park_spool.intervals import Intervals

from . import derived, results
from .entries import JobListKey

_NAMED = """
  sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND job_number >= ?4 AND job_number < ?5
  AND status <> 'ok' AND round < ?6"""
_MOVE_FINALS = f"""
  INSERT INTO attempts ({results.RUN_COLUMNS})
  SELECT {results.RUN_COLUMNS}
  FROM jobs INDEXED BY jobs_not_ok LEFT JOIN results USING (sid, group_number, joblist_number, job_number)
  WHERE {_NAMED} {results.EARLIER_ATTEMPT_STANDS}"""
_MOVE_BEATEN = f"""
  INSERT INTO attempts ({results.RUN_COLUMNS})
  SELECT {results.RUN_COLUMNS} FROM duplicates WHERE {_NAMED} {results.EARLIER_ATTEMPT_STANDS}"""


def known(connection: sqlite3.Connection, sid: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM retries WHERE sid = ?", (sid,))}


def apply(
    connection: sqlite3.Connection, sid: str, name: str, round_: int, jobs: Mapping[tuple[int, int], Intervals]
) -> set[int]:
    """Apply a retry, once; return the groups that lost final results."""
    if not connection.execute("INSERT OR IGNORE INTO retries VALUES (?,?,?)", (sid, name, round_)).rowcount:
        return set()
    return {
        group
        for (group, joblist), pieces in jobs.items()
        for piece in pieces
        if _apply(connection, (sid, group, joblist), piece, round_)
    }


def _apply(connection: sqlite3.Connection, head: JobListKey, piece: tuple[int, int], round_: int) -> bool:
    named = (*head, *piece, round_)
    found = connection.execute(f"SELECT job_number FROM jobs INDEXED BY jobs_not_ok WHERE {_NAMED}", named)
    finals = [job for (job,) in found]
    beaten = [job for (job,) in connection.execute(f"SELECT job_number FROM duplicates WHERE {_NAMED}", named)]
    connection.execute(_MOVE_FINALS, named)
    connection.execute(_MOVE_BEATEN, named)
    connection.execute(f"DELETE FROM duplicates WHERE {_NAMED}", named)
    results.drop_finals(connection, [(*head, job) for job in finals])
    results.count_duplicates(connection, {(*head, job) for job in beaten})
    derived.take_from_sums(connection, head, len(finals), len(beaten))
    if finals:
        derived.shrink_ranges(connection, head, finals)
    return bool(finals)
