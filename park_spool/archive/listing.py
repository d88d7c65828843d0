"""The list of sessions as pages show it: searched, filtered, sorted by any of its columns, a page at a time.

Which sessions are wanted, and in which order, is found out of indices and of the small tables `joblists` and `history`;
only what stands on the page is looked up whole. benchmarks/overview.py says how long that takes with 10,000 sessions.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from park_spool.errors import NotFound

from .rows import SessionRow, Wanted

SESSION_COLUMNS = """sid, user, file, state, priority, received, closed, jobs, ok, failed, duplicates,
  best_chisq, best_job, first_started, last_finished"""
_OF_JOBS = "(SELECT {} FROM joblists l WHERE l.sid = s.sid)"
_STATE = """CASE state WHEN 'running' THEN 1 WHEN 'queued' THEN 2 WHEN 'paused' THEN 3 WHEN 'failed' THEN 4
  WHEN 'cancelled' THEN 5 WHEN 'done' THEN 6 ELSE 7 END"""
# By what is sorted, and whether the largest value stands first by itself.
SORTS = {
    "received": ("s.sid", True),  # an id begins with its time
    "file": ("lower(file)", False),
    "user": ("lower(user)", False),
    "state": (_STATE, False),
    "jobs": (_OF_JOBS.format("sum(jobs)"), True),
    "progress": (_OF_JOBS.format("1.0 * sum(ok + failed) / nullif(sum(jobs), 0)"), True),
    "failed": (_OF_JOBS.format("nullif(sum(failed), 0)"), True),
    "chisq": ("(SELECT min(h.chisq) FROM history h WHERE h.sid = s.sid)", False),
}
_WANTED = """
  WHERE (:user IS NULL OR user = :user) AND (:owner IS NULL OR user = :owner)
  AND (:state IS NULL OR state = :state) AND (:state IS NOT NULL OR NOT :hides_deleted OR state <> 'deleted')
  AND (:service IS NULL OR s.sid IN (SELECT g.sid FROM groups g
    WHERE g.task = :service OR substr(g.task, 1, length(:service) + 1) = :service || '/'))
  AND (:text IS NULL OR instr(lower(s.sid || ' ' || user || ' ' || file), lower(:text))
    OR s.sid IN (SELECT g.sid FROM groups g WHERE instr(lower(g.name || ' ' || g.task), lower(:text))))"""
_SESSIONS = f"FROM sessions s INDEXED BY sessions_to_find {_WANTED}"
_STATES = f"SELECT state, count(*) {_SESSIONS} GROUP BY state"
_USERS = """
  SELECT DISTINCT user FROM sessions INDEXED BY sessions_to_find WHERE (?1 IS NULL OR user = ?1) ORDER BY user"""
_TASKS = """
  SELECT DISTINCT task FROM groups WHERE ?1 IS NULL
    OR sid IN (SELECT s.sid FROM sessions s INDEXED BY sessions_to_find WHERE user = ?1)"""
_STAIRCASE = """
  SELECT chisq FROM history WHERE sid = ? AND group_number = ? ORDER BY finished, joblist_number, job_number"""
_TASKS_OF = """
  SELECT sid, task FROM groups WHERE sid IN (SELECT value FROM json_each(?)) ORDER BY sid, group_number"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of the list is asked for; an empty text is any.

    `owner` is whose sessions alone may be seen at all. Deleted sessions are left out unless their state is asked for.
    `descending` None is the order that comes first for a column. `page` counts from 1.
    """

    text: str = ""
    user: str = ""
    state: str = ""
    service: str = ""
    sort: str = "received"
    descending: bool | None = None
    page: int = 1
    size: int = 50
    owner: str = ""

    @property
    def wanted(self) -> Wanted:
        named = {name: getattr(self, name) or None for name in ("user", "state", "text", "service", "owner")}
        return Wanted(**named, hides_deleted=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """A session on the list; `tasks` are those of its groups, `chisqs` the staircase of the group with its best fit."""

    row: SessionRow
    tasks: tuple[str, ...]
    chisqs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list. `states` counts what is wanted but for its state; users and tasks are those of all."""

    sessions: list[Listed]
    total: int
    states: dict[str, int]
    users: list[str]
    tasks: list[str]


def listing(connection: sqlite3.Connection, asked: Asked) -> Listing:
    """Return a page of the list. Raises NotFound if it cannot be sorted as asked."""
    states = _states(connection, asked.wanted)
    total = states.get(asked.state, 0) if asked.state else sum(states.values()) - states.get("deleted", 0)
    owner = asked.owner or None
    users = [user for (user,) in connection.execute(_USERS, (owner,))]
    tasks = sorted(task for (task,) in connection.execute(_TASKS, (owner,)))
    return Listing(_page(connection, asked), total, states, users, tasks)


def _states(connection: sqlite3.Connection, wanted: Wanted) -> dict[str, int]:
    values = {**_values(wanted), "state": None, "hides_deleted": False}
    return dict(connection.execute(_STATES, values).fetchall())


def _page(connection: sqlite3.Connection, asked: Asked) -> list[Listed]:
    if asked.sort not in SORTS:
        raise NotFound(f"sessions are not sorted by {asked.sort!r}: expected one of {', '.join(SORTS)}")
    value, is_down = SORTS[asked.sort]
    down = "DESC" if (is_down if asked.descending is None else asked.descending) else ""
    values = {**_values(asked.wanted), "limit": asked.size, "offset": (asked.page - 1) * asked.size}
    order = f"value {down} NULLS LAST, sid DESC" if value != "s.sid" else f"sid {down}"  # in order by its index
    found = connection.execute(
        f"SELECT sid FROM (SELECT s.sid, {value} AS value {_SESSIONS}) ORDER BY {order} LIMIT :limit OFFSET :offset",
        values,
    )
    return _listed(connection, [sid for (sid,) in found])


def _listed(connection: sqlite3.Connection, sids: list[str]) -> list[Listed]:
    """Look up the sessions of a page, in their order."""
    names = json.dumps(sids)
    rows = connection.execute(
        f"SELECT {SESSION_COLUMNS} FROM progress WHERE sid IN (SELECT value FROM json_each(?))", (names,)
    )
    found = {row["sid"]: SessionRow(**row) for row in rows}
    tasks: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for sid, task in connection.execute(
        "SELECT sid, task FROM groups WHERE sid IN (SELECT value FROM json_each(?)) ORDER BY sid, group_number",
        (names,),
    ):
        tasks[sid][task] = None
    return [Listed(found[sid], tuple(tasks[sid]), staircase(connection, found[sid])) for sid in sids if sid in found]


def staircase(connection: sqlite3.Connection, row: SessionRow) -> tuple[float, ...]:
    """Return the falling chisq of the group with a session's best fit."""
    if row.best_job is None:
        return ()
    group = int(row.best_job.partition(".")[0])
    return tuple(chisq for (chisq,) in connection.execute(_STAIRCASE, (row.sid, group)))


def sessions(connection: sqlite3.Connection, wanted: Wanted, limit: int, offset: int) -> list[SessionRow]:
    """Return the sessions that are wanted, newest first."""
    rows = connection.execute(
        f"SELECT {SESSION_COLUMNS} FROM progress WHERE sid IN ("
        f"SELECT s.sid {_SESSIONS} ORDER BY s.sid DESC LIMIT :limit OFFSET :offset) ORDER BY sid DESC",
        {**_values(wanted), "limit": limit, "offset": offset},
    )
    return [SessionRow(**row) for row in rows]


def count_sessions(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """Count the sessions that are wanted."""
    (number,) = connection.execute(f"SELECT count(*) {_SESSIONS}", _values(wanted)).fetchone()
    return int(number)


def known(connection: sqlite3.Connection, sids: Collection[str], owner: str = "") -> set[str]:
    """Return which of these sessions are in the archive; only `owner`'s if that is given."""
    rows = connection.execute(
        "SELECT sid FROM sessions WHERE sid IN (SELECT value FROM json_each(?1)) AND (?2 = '' OR user = ?2)",
        (json.dumps(list(sids)), owner),
    )
    return {sid for (sid,) in rows}


def users(connection: sqlite3.Connection) -> list[str]:
    """Return the users who have sessions, by name."""
    return [user for (user,) in connection.execute(_USERS, (None,))]


def _values(wanted: Wanted) -> dict[str, object]:
    return {
        "user": wanted.user,
        "state": wanted.state,
        "text": wanted.text,
        "service": wanted.service,
        "owner": wanted.owner,
        "hides_deleted": wanted.hides_deleted,
    }
