"""The questions that readers ask, each a named function on one snapshot."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256

from park_spool.attributes import attributes
from park_spool.errors import NotFound

from .listing import SESSION_COLUMNS
from .rows import (
    BestRow,
    EventRow,
    FailureRow,
    GroupRow,
    HistoryRow,
    MessageRow,
    NodeEventRow,
    NodeRow,
    SessionRow,
)

JOB_NAME = "printf('%d.%d.%d', group_number, joblist_number, job_number) AS job"
_OF_BEST = "FROM best b WHERE b.sid = g.sid AND b.group_number = g.group_number"
_FIT = f"""
  SELECT {JOB_NAME}, chisq, npoints, dof, chisq / nullif(dof, 0) AS reduced_chisq, nllf, node, seconds, seed,
    ifnull(output, '') AS output
  FROM jobs LEFT JOIN results USING (sid, group_number, joblist_number, job_number)
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ? AND chisq IS NOT NULL"""
_GROUPS = f"""
  SELECT g.sid, g.group_number AS "group", g.name, g.task, g.reducer, g.stopped,
    ifnull(sum(l.jobs), 0) AS jobs, ifnull(sum(l.ok), 0) AS ok, ifnull(sum(l.failed), 0) AS failed,
    ifnull(sum(l.duplicates), 0) AS duplicates,
    (SELECT b.chisq {_OF_BEST}) AS best_chisq, (SELECT b.job {_OF_BEST}) AS best_job
  FROM groups g
  LEFT JOIN joblists l ON l.sid = g.sid AND l.group_number = g.group_number
  WHERE g.sid = ? GROUP BY g.group_number ORDER BY g.group_number"""
_HISTORY = f"""
  SELECT {JOB_NAME}, h.finished, h.chisq, j.node
  FROM history h LEFT JOIN jobs j USING (sid, group_number, joblist_number, job_number)
  WHERE sid = ? AND group_number = ? ORDER BY h.finished, joblist_number, job_number"""
_DOTS = """
  SELECT j.finished, j.chisq FROM json_each(?) AS wanted
  CROSS JOIN jobs j ON j.sid = ? AND j.group_number = ? AND j.joblist_number = ? AND j.job_number = wanted.value
  WHERE j.chisq IS NOT NULL"""
_FAILURES = f"""
  SELECT {JOB_NAME}, status, why, exit, signal, node, round, attempt, seconds, finished, stderr
  FROM jobs INDEXED BY jobs_not_ok LEFT JOIN results USING (sid, group_number, joblist_number, job_number)
  WHERE sid = ? AND status <> 'ok' ORDER BY group_number, joblist_number, job_number LIMIT ?"""


def session(connection: sqlite3.Connection, prefix: str) -> SessionRow:
    """Return the session whose id is or begins with `prefix`; NotFound if there is none, or more than one."""
    sid = _full_sid(connection, prefix)
    row = connection.execute(f"SELECT {SESSION_COLUMNS} FROM progress WHERE sid = ?", (sid,)).fetchone()
    return SessionRow(**row)


def _full_sid(connection: sqlite3.Connection, prefix: str) -> str:
    # Not by substr(): then all sessions would be looked through.
    rows = connection.execute(
        "SELECT sid FROM sessions WHERE sid >= ?1 AND sid < ?1 || char(1114111) ORDER BY sid LIMIT 4", (prefix,)
    )
    found = [str(sid) for (sid,) in rows]
    if prefix in found or (len(found) == 1 and prefix):
        return found[0]
    if not found or not prefix:
        raise NotFound(f"no session in the archive begins with {prefix!r}")
    names = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")
    raise NotFound(f"{prefix!r} begins the names of several sessions ({names}); give more of it")


def copied(connection: sqlite3.Connection) -> float:
    """Return when this copy of the archive was made; 0 if it is none, or does not say."""
    row = connection.execute("SELECT CAST(value AS REAL) FROM meta WHERE key = 'copied'").fetchone()
    return 0.0 if row is None else float(row[0])


def groups(connection: sqlite3.Connection, sid: str) -> list[GroupRow]:
    return [GroupRow(**row) for row in connection.execute(_GROUPS, (sid,))]


def group(connection: sqlite3.Connection, sid: str, number: int) -> GroupRow:
    """Return one group; NotFound if the session has no such group."""
    for row in groups(connection, sid):
        if row.group == number:
            return row
    raise NotFound(f"session {sid} has no group {number}")


def history_version(connection: sqlite3.Connection, row: GroupRow) -> str:
    """Return a short text that changes whenever the picture of a group's chi-square does."""
    last = connection.execute(
        "SELECT count(*), max(finished) FROM history WHERE sid = ? AND group_number = ?", (row.sid, row.group)
    ).fetchone()
    return _digest(connection, row, *last)


def best_version(connection: sqlite3.Connection, row: GroupRow) -> str:
    """Return a short text that changes whenever a group's best fit does."""
    run = connection.execute(
        "SELECT job, node, chisq, finished, seconds FROM best WHERE sid = ? AND group_number = ?",
        (row.sid, row.group),
    ).fetchone()
    return _digest(connection, row.sid, row.group, *(run or ()))


def _digest(connection: sqlite3.Connection, *values: object) -> str:
    (identity,) = connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
    return sha256(repr((identity, *values)).encode()).hexdigest()[:20]


def history(connection: sqlite3.Connection, sid: str, number: int) -> list[HistoryRow]:
    return [HistoryRow(**row) for row in connection.execute(_HISTORY, (sid, number))]


def dots(connection: sqlite3.Connection, row: GroupRow, limit: int) -> list[tuple[float, float]]:
    """Return (finished, chisq) of a group's jobs, every n-th job if they are more than `limit`."""
    stride = -(-row.jobs // limit) or 1
    joblists = connection.execute(
        "SELECT joblist_number, jobs FROM joblists WHERE sid = ? AND group_number = ?", (row.sid, row.group)
    )
    found: list[tuple[float, float]] = []
    for joblist, jobs in joblists:
        wanted = json.dumps(list(range(1, jobs + 1, stride)))
        found += map(tuple, connection.execute(_DOTS, (wanted, row.sid, row.group, joblist)))
    return sorted(found)


def best(connection: sqlite3.Connection, sid: str, number: int) -> BestRow | None:
    """Return a group's best fit, with what its output says of it, or None while no job gave a chisq."""
    row = connection.execute(
        "SELECT job, chisq, npoints, dof, reduced_chisq, nllf, node, seconds, seed,"
        " ifnull(output, '') AS output FROM best WHERE sid = ? AND group_number = ?",
        (sid, number),
    ).fetchone()
    return None if row is None else _best(row)


def fit(connection: sqlite3.Connection, sid: str, group: int, joblist: int, number: int) -> BestRow | None:
    """Return any fit as `best` returns the best one; None if the job has no chisq."""
    row = connection.execute(_FIT, (sid, group, joblist, number)).fetchone()
    return None if row is None else _best(row)


def _best(row: sqlite3.Row) -> BestRow:
    values = attributes(row["output"]).values
    parameters, curve = values.get("parameters"), values.get("curve")
    listed = [entry for entry in parameters if isinstance(entry, dict)] if isinstance(parameters, list) else []
    return BestRow(**row, parameters=listed, curve=curve if isinstance(curve, dict) else None)


def messages(connection: sqlite3.Connection, sid: str, limit: int) -> list[MessageRow]:
    """Return the newest messages of a session, oldest of them first."""
    rows = connection.execute(
        'SELECT group_number AS "group", number, at, text FROM messages WHERE sid = ?'
        " ORDER BY at DESC, group_number DESC, number DESC LIMIT ?",
        (sid, limit),
    )
    return [MessageRow(**row) for row in rows][::-1]


def messages_after(connection: sqlite3.Connection, sid: str, group: int, number: int, limit: int) -> list[MessageRow]:
    """Return the messages of a group that come after this number, in order."""
    rows = connection.execute(
        'SELECT group_number AS "group", number, at, text FROM messages'
        " WHERE sid = ? AND group_number = ? AND number > ? ORDER BY number LIMIT ?",
        (sid, group, number, limit),
    )
    return [MessageRow(**row) for row in rows]


def events(connection: sqlite3.Connection, sid: str) -> list[EventRow]:
    """Return what happened to a session, the first thing first."""
    rows = connection.execute(
        "SELECT key, at, what, who, detail FROM events WHERE sid = ? ORDER BY ifnull(at, 9e99), key", (sid,)
    )
    return [EventRow(**row) for row in rows]


def node_events(connection: sqlite3.Connection, limit: int) -> list[NodeEventRow]:
    """Return the newest things that happened to nodes, the newest first."""
    rows = connection.execute("SELECT node, at, what, detail FROM node_events ORDER BY at DESC, node LIMIT ?", (limit,))
    return [NodeEventRow(**row) for row in rows]


def failures(connection: sqlite3.Connection, sid: str, limit: int) -> list[FailureRow]:
    return [FailureRow(**row) for row in connection.execute(_FAILURES, (sid, limit))]


def nodes(connection: sqlite3.Connection) -> list[NodeRow]:
    rows = connection.execute("SELECT * FROM nodes ORDER BY node")
    return [NodeRow(**{**row, "heartbeat": json.loads(row["heartbeat"])}) for row in rows]
