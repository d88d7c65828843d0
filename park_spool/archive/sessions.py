"""Sessions, groups and job lists in the archive: put in once, closed once, asked what is final."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from .results import storable

CLOSED_STATES = ("done", "failed", "cancelled", "deleted")

_INSERT_JOBLIST = """
  INSERT INTO joblists (sid, group_number, joblist_number, name, priority, jobs) VALUES (?,?,?, ?,?,?)
  ON CONFLICT (sid, group_number, joblist_number) DO UPDATE
  SET name = excluded.name, priority = excluded.priority, jobs = excluded.jobs"""
_THIS_LIST = "sid = ? AND group_number = ? AND joblist_number = ?"
_OF_LIST = "r.sid = l.sid AND r.group_number = l.group_number AND r.joblist_number = l.joblist_number"
_LAST_RUNS = f"""
  SELECT l.group_number, l.joblist_number, l.last_finished, (SELECT max(ended) FROM (
      SELECT max(r.started + r.seconds) AS ended FROM attempts r WHERE {_OF_LIST}
      UNION ALL SELECT max(r.started + r.seconds) FROM duplicates r WHERE {_OF_LIST}))
  FROM joblists l WHERE l.sid = ?"""
_LAST_FAILURES = """
  SELECT a.group_number, a.joblist_number, a.job_number, a.round, max(a.attempt) FROM attempts a
  WHERE a.sid = ?1 AND a.status <> 'cancelled'
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.sid = ?1 AND j.group_number = a.group_number
      AND j.joblist_number = a.joblist_number AND j.job_number = a.job_number)
  GROUP BY a.group_number, a.joblist_number, a.job_number, a.round
  HAVING a.round = (SELECT max(b.round) FROM attempts b WHERE b.sid = ?1 AND b.group_number = a.group_number
      AND b.joblist_number = a.joblist_number AND b.job_number = a.job_number)
  ORDER BY 1, 2, 3"""


def insert_session(
    connection: sqlite3.Connection, sid: str, record: Mapping[str, Any], xml: bytes, received: float
) -> None:
    """Put a session in from what session.json holds; one that is there stays as it is.

    Results may have come first (a bundle read before its session): their sums stay, and the session is
    running.
    """
    session = record.get("session", record)
    known = connection.execute("SELECT 1 FROM sessions WHERE sid = ?", (sid,)).fetchone()
    if known is not None:
        return
    for number, group in enumerate(session["groups"], 1):
        _insert_group(connection, sid, number, group)
    connection.execute(
        "INSERT INTO sessions VALUES (?,?,?,?,?, ?,?,NULL, ?,?)",
        (
            *(sid, storable(record.get("owner") or session["user"]), storable(session["email"])),
            *(
                storable(record.get("file", "")),
                session["priority"],
                "running" if has_run(connection, sid) else "queued",
                received,
            ),
            *(storable(json.dumps(record, ensure_ascii=False)), xml.decode("utf-8", "replace")),
        ),
    )


def _insert_group(connection: sqlite3.Connection, sid: str, number: int, group: Mapping[str, Any]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO groups VALUES (?,?, ?,?,?, NULL)",
        (sid, number, storable(group["name"]), storable(group["task"]["cmd"]), group["reduce"]),
    )
    rows = [
        (sid, number, place, storable(joblist["name"]), joblist["priority"], joblist["size"])
        for place, joblist in enumerate(group["joblists"], 1)
    ]
    connection.executemany(_INSERT_JOBLIST, rows)


def known(connection: sqlite3.Connection) -> set[str]:
    return {sid for (sid,) in connection.execute("SELECT sid FROM sessions")}


def still_open(connection: sqlite3.Connection) -> list[str]:
    """Return the sessions that are not closed, oldest first."""
    marks = ", ".join("?" for _ in CLOSED_STATES)
    rows = connection.execute(f"SELECT sid FROM sessions WHERE state NOT IN ({marks}) ORDER BY sid", CLOSED_STATES)
    return [sid for (sid,) in rows]


def set_state(connection: sqlite3.Connection, sid: str, state: str, at: float) -> None:
    """Set a session's state. One that was cancelled closed when that was first said, another when its last job ended.

    That may become another job after all, when a late result takes the place of one that was counted.
    """
    closed = at if state in CLOSED_STATES else None
    connection.execute(
        "UPDATE sessions SET closed = CASE WHEN ?3 = 'cancelled' AND state = ?3 THEN ifnull(closed, ?2) ELSE ?2 END,"
        " state = ?3 WHERE sid = ?1",
        (sid, closed, state),
    )


def closed_before(connection: sqlite3.Connection, at: float) -> list[str]:
    """Return the sessions that were closed before a time and not deleted since, the first to close first."""
    rows = connection.execute(
        "SELECT sid FROM sessions WHERE closed < ? AND state IN ('done', 'failed', 'cancelled') ORDER BY closed, sid",
        (at,),
    )
    return [sid for (sid,) in rows]


def set_priority(connection: sqlite3.Connection, sid: str, priority: int) -> None:
    connection.execute("UPDATE sessions SET priority = ? WHERE sid = ?", (priority, sid))


def state(connection: sqlite3.Connection, sid: str) -> str | None:
    row = connection.execute("SELECT state FROM sessions WHERE sid = ?", (sid,)).fetchone()
    return None if row is None else str(row[0])


def closed_at(connection: sqlite3.Connection, sid: str) -> float | None:
    row = connection.execute("SELECT closed FROM sessions WHERE sid = ?", (sid,)).fetchone()
    return None if row is None else row[0]


def has_run(connection: sqlite3.Connection, sid: str) -> bool:
    """Say whether any job of a session was run, whatever came of it."""
    row = connection.execute("SELECT max(first_started) FROM joblists WHERE sid = ?", (sid,)).fetchone()
    return row[0] is not None


def counts(connection: sqlite3.Connection, sid: str) -> tuple[int, int, int]:
    """Return how many jobs a session has, how many are ok, and how many failed for good."""
    row = connection.execute(
        "SELECT ifnull(sum(jobs), 0), ifnull(sum(ok), 0), ifnull(sum(failed), 0) FROM joblists WHERE sid = ?",
        (sid,),
    ).fetchone()
    return row[0], row[1], row[2]


def final_jobs(connection: sqlite3.Connection, sid: str) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return the final jobs of each (group, job list) as sorted, disjoint, half-open intervals."""
    rows = connection.execute(
        "SELECT group_number, joblist_number, start, stop FROM final_ranges WHERE sid = ? ORDER BY 1, 2, 3",
        (sid,),
    )
    return _by_joblist((group, joblist, (start, stop)) for group, joblist, start, stop in rows)


def failures(connection: sqlite3.Connection, sid: str) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
    """Return the last failure (job, round, attempt) of each job that failed but has no final result yet."""
    rows = connection.execute(_LAST_FAILURES, (sid,))
    return _by_joblist((group, joblist, (job, round_, last)) for group, joblist, job, round_, last in rows)


def _by_joblist(rows: Iterator[tuple[int, int, Any]]) -> dict[tuple[int, int], list[Any]]:
    found: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
    for group, joblist, value in rows:
        found[group, joblist].append(value)
    return dict(found)


def last_finished(connection: sqlite3.Connection, sid: str) -> float:
    """Return when the last of a session's final jobs ended (Unix time), 0 if none has.

    A job list knows when the last of all its runs ended; only if that may be of one that ended nothing, or was beaten,
    the jobs are looked through.
    """
    found = 0.0
    for group, joblist, last, beaten in connection.execute(_LAST_RUNS, (sid,)).fetchall():
        if last is not None and beaten is not None and beaten >= last > found:
            key = (sid, group, joblist)
            (last,) = connection.execute(
                f"SELECT ifnull(max(finished), 0) FROM jobs WHERE {_THIS_LIST}", key
            ).fetchone()
        found = max(found, last or 0.0)
    return found
