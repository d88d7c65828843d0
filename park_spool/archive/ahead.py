"""What those ask who start from other work: the best fit of a group, the last job of a list that is ok; is it done?

Both sides of the archive ask these, the reducer on its own connection, readers on a snapshot.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_OUTPUT = "LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)"
_BEST = f"""
  SELECT h.group_number, h.joblist_number, h.job_number, h.chisq, ifnull(r.output, '')
  FROM history h {_OUTPUT}
  WHERE h.sid = ? AND h.group_number = ?
  ORDER BY h.finished DESC, h.joblist_number DESC, h.job_number DESC LIMIT 1"""  # the last step of the staircase
_LAST_OK = f"""
  SELECT j.group_number, j.joblist_number, j.job_number, j.chisq, ifnull(r.output, '')
  FROM jobs j {_OUTPUT}
  WHERE j.sid = ? AND j.group_number = ? AND j.joblist_number = ? AND j.job_number < ? AND j.status = 'ok'
  ORDER BY j.job_number DESC LIMIT 1"""
_COUNTS = """
  SELECT ifnull(sum(jobs), 0), ifnull(sum(ok), 0), ifnull(sum(failed), 0) FROM joblists
  WHERE sid = ? AND group_number = ?"""


class Fit(NamedTuple):
    """A job that is ok, its chisq if it gave one, and its output."""

    group: int
    joblist: int
    job: int
    chisq: float | None
    output: str

    @property
    def name(self) -> str:
        return f"{self.group}.{self.joblist}.{self.job}"


def best(connection: sqlite3.Connection, sid: str, group: int) -> Fit | None:
    """Return the fit with the smallest chisq of a group; of several the first that finished."""
    row = connection.execute(_BEST, (sid, group)).fetchone()
    return Fit(*row) if row else None


def last_ok(connection: sqlite3.Connection, sid: str, group: int, joblist: int, before: int) -> Fit | None:
    """Return the last job of a job list before a number that is ok."""
    row = connection.execute(_LAST_OK, (sid, group, joblist, before)).fetchone()
    return Fit(*row) if row else None


def group_counts(connection: sqlite3.Connection, sid: str, group: int) -> tuple[int, int, int]:
    """Return how many jobs a group has, how many are ok, and how many failed for good."""
    jobs, ok, failed = connection.execute(_COUNTS, (sid, group)).fetchone()
    return jobs, ok, failed


def group_count(connection: sqlite3.Connection, sid: str) -> int:
    (count,) = connection.execute("SELECT count(*) FROM groups WHERE sid = ?", (sid,)).fetchone()
    return int(count)
