"""Keep what follows from `jobs` in step with it: the sums of each job list, the final ranges, the staircase.

Everything here could be worked out again from `jobs` (the tests do, and compare); it is kept so that a
page, a tally and a status line cost the same for ten million jobs as for ten.  All of it runs inside the
caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from park_spool import intervals

from .entries import HistoryPoint, JobKey, JobListKey, Result
from .precedence import Rank, improvements, runs

_head = itemgetter(0, 1, 2)
_key = itemgetter(0, 1, 2, 3)
_FINISHED, _CHISQ = 10, 11  # the columns of a row for `jobs`

_ADD = """
  INSERT INTO joblists
    (sid, group_number, joblist_number, ok, failed, duplicates, first_started, last_finished)
  VALUES (?,?,?, ?,?,?, ?,?)
  ON CONFLICT (sid, group_number, joblist_number) DO UPDATE
  SET ok = ok + excluded.ok, failed = failed + excluded.failed,
    duplicates = duplicates + excluded.duplicates,
    first_started = min(ifnull(first_started, excluded.first_started), excluded.first_started),
    last_finished = max(ifnull(last_finished, excluded.last_finished), excluded.last_finished)"""
_RUNS_NOW = "UPDATE sessions SET state = 'running' WHERE sid = ? AND state = 'queued'"
_MOVE = """
  UPDATE joblists SET ok = ok + ?, failed = failed + ?, duplicates = duplicates + ?
  WHERE sid = ? AND group_number = ? AND joblist_number = ?"""
_TOUCHING = """
  SELECT start, stop FROM final_ranges
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND start <= ? AND stop >= ?"""
_ADD_RANGE = "INSERT INTO final_ranges VALUES (?,?,?, ?,?)"
_DROP_RANGE = "DELETE FROM final_ranges WHERE sid = ? AND group_number = ? AND joblist_number = ? AND start = ?"
_DROP_POINT = """
  DELETE FROM history
  WHERE sid = ? AND group_number = ? AND finished = ? AND joblist_number = ? AND job_number = ?"""
_DROP_OLD_POINT = """
  DELETE FROM history WHERE (sid, group_number, finished, joblist_number, job_number) = (
    SELECT sid, group_number, finished, joblist_number, job_number FROM jobs
    WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?)"""
_FRONT = """
  SELECT finished, joblist_number, job_number, chisq FROM history
  WHERE sid = ?1 AND group_number = ?2 AND finished >= ifnull(
    (SELECT max(finished) FROM history WHERE sid = ?1 AND group_number = ?2 AND finished < ?3), ?3)"""
_REBUILD = """
  INSERT INTO history
  SELECT sid, group_number, finished, joblist_number, job_number, chisq FROM (
    SELECT *, min(chisq) OVER (
      ORDER BY finished, joblist_number, job_number
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lowest
    FROM jobs WHERE sid = ? AND group_number = ? AND chisq IS NOT NULL)
  WHERE lowest IS NULL OR chisq < lowest"""

_SAME_RUN = """
  SELECT 1 FROM {} o WHERE o.sid = a.sid AND o.group_number = a.group_number
  AND o.joblist_number = a.joblist_number AND o.job_number = a.job_number
  AND (o.round, o.attempt, o.node, o.status) = (a.round, a.attempt, a.node, 'ok')"""
_HAS_ATTEMPTS = "SELECT 1 FROM attempts WHERE sid = ? AND group_number = ? AND joblist_number = ? LIMIT 1"
_DROP_ANSWERED = f"""
  DELETE FROM attempts AS a
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number BETWEEN ? AND ?
  AND (EXISTS ({_SAME_RUN.format("jobs")}) OR EXISTS ({_SAME_RUN.format("duplicates")}))"""


def drop_answered(connection: sqlite3.Connection, head: JobListKey, first: int, last: int) -> None:
    """Drop the attempts whose very run was ok, too: else they would depend on what came first, retry or answer."""
    if connection.execute(_HAS_ATTEMPTS, head).fetchone():
        connection.execute(_DROP_ANSWERED, (*head, first, last))


def add_sums(connection: sqlite3.Connection, batch: Sequence[Result], accepted: Sequence[Result]) -> None:
    """Add newly stored finals to their job lists' sums; the times of all that was run count for the spans."""
    rows = [_sum(head, list(run), is_counted=True) for head, run in groupby(accepted, _head)]
    if len(batch) > len(accepted):
        rows += [_sum(head, list(run), is_counted=False) for head, run in groupby(batch, _head)]
    connection.executemany(_ADD, rows)
    started = {(sid,) for sid, *_ in rows}
    connection.executemany(_RUNS_NOW, started)


def add_plain_sum(connection: sqlite3.Connection, head: JobListKey, ok: int, first: float, last: float) -> None:
    """Add newly stored jobs of one job list that are all ok to its sums."""
    connection.execute(_ADD, (*head, ok, 0, 0, first, last))
    connection.execute(_RUNS_NOW, head[:1])


def _sum(head: JobListKey, run: list[Result], *, is_counted: bool) -> tuple[object, ...]:
    ok = [result[4] for result in run].count("ok")
    first = min([result[8] for result in run])
    last = max([result[8] + result[9] for result in run])
    return (*head, *((ok, len(run) - ok) if is_counted else (0, 0)), 0, first, last)


def take_from_sums(connection: sqlite3.Connection, head: JobListKey, failed: int, duplicates: int) -> None:
    """Take what is not final any more out of the sums of a job list."""
    connection.execute(_MOVE, (0, -failed, -duplicates, *head))


def move_sums(
    connection: sqlite3.Connection, risen: Mapping[JobKey, int], replaced: Iterable[tuple[Result, Rank]]
) -> None:
    """Put replaced results into their new column of the sums and add the rise of `duplicates`."""
    moved: defaultdict[JobListKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (sid, group, joblist, _), rise in risen.items():
        moved[sid, group, joblist][2] += rise
    for result, before in replaced:
        step = (result.status == "ok") - (before.status == "ok")
        moved[result[:3]][0] += step
        moved[result[:3]][1] -= step
    connection.executemany(_MOVE, [(*change, *head) for head, change in moved.items()])


def extend_ranges(connection: sqlite3.Connection, results: Sequence[Result]) -> None:
    """Add newly final jobs to the final ranges, so that these stay disjoint, not touching, and half open."""
    for head, start, stop in runs(sorted(results, key=_key)):
        add_range(connection, head, start, stop)


def add_range(connection: sqlite3.Connection, head: JobListKey, start: int, stop: int) -> None:
    """Add one run of newly final jobs to the final ranges."""
    touching = connection.execute(_TOUCHING, (*head, stop, start)).fetchall()
    joined = min([start, *(first for first, _ in touching)]), max([stop, *(last for _, last in touching)])
    connection.executemany(_DROP_RANGE, [(*head, first) for first, _ in touching])
    connection.execute(_ADD_RANGE, (*head, *joined))


def shrink_ranges(connection: sqlite3.Connection, head: JobListKey, jobs: Iterable[int]) -> None:
    """Take jobs that are not final any more out of the final ranges of a job list."""
    gone = intervals.union((job, job + 1) for job in jobs)
    rows = connection.execute(_TOUCHING, (*head, gone[-1][1], gone[0][0])).fetchall()
    connection.executemany(_DROP_RANGE, [(*head, start) for start, _ in rows])
    left = intervals.subtract(intervals.union(rows), gone)
    connection.executemany(_ADD_RANGE, [(*head, *piece) for piece in left])


def extend_history(connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Merge the rows of `jobs` that have a chisq into the staircase of their groups."""
    points: defaultdict[tuple[str, int], list[HistoryPoint]] = defaultdict(list)
    for row in rows:
        if row[_CHISQ] is not None:
            points[row[0], row[1]].append(HistoryPoint(row[_FINISHED], row[2], row[3], row[_CHISQ]))
    for group, candidates in points.items():
        _merge(connection, group, candidates)


def _merge(connection: sqlite3.Connection, group: tuple[str, int], candidates: list[HistoryPoint]) -> None:
    """Merge candidates into the part of a staircase that they can change: from the step before on."""
    first = min(candidates).finished
    before = {HistoryPoint(*row) for row in connection.execute(_FRONT, (*group, first))}
    after = set(improvements([*before, *candidates]))
    gone = [(*group, *point[:3]) for point in before - after]
    connection.executemany(_DROP_POINT, gone)
    connection.executemany("INSERT INTO history VALUES (?,?, ?,?,?,?)", [(*group, *new) for new in after - before])


def drop_history(connection: sqlite3.Connection, keys: Iterable[JobKey]) -> set[tuple[str, int]]:
    """Take jobs about to be replaced off the staircase; return the groups whose staircase that broke."""
    return {key[:2] for key in keys if connection.execute(_DROP_OLD_POINT, key).rowcount}


def rebuild_history(connection: sqlite3.Connection, groups: Iterable[tuple[str, int]]) -> None:
    """Work the staircase of these groups out again from `jobs`."""
    for group in groups:
        connection.execute("DELETE FROM history WHERE sid = ? AND group_number = ?", group)
        connection.execute(_REBUILD, group)
