"""What happened: to sessions, by names on the spool; to nodes, as the reducer saw it; and what was taken in of it.

All of a session can be made again from the spool; what was seen of the nodes cannot.
"""

from __future__ import annotations

import math
import sqlite3

from .results import storable

# A control's file may be read before its words are in it: they are put in later.
_INSERT_EVENT = """
  INSERT INTO events VALUES (?,?, ?,?,?,?)
  ON CONFLICT (sid, key) DO UPDATE SET at = excluded.at, who = excluded.who, detail = excluded.detail
  WHERE events.at IS NULL AND excluded.at IS NOT NULL"""


def add_event(
    connection: sqlite3.Connection, sid: str, key: str, at: float | None, what: str, who: str, detail: str
) -> None:
    """Keep what happened to a session, once for each key; a time that came late is filled in."""
    time = at if at is not None and math.isfinite(at) else None
    connection.execute(_INSERT_EVENT, (sid, key, time, what, storable(who), storable(detail)))


def events_known(connection: sqlite3.Connection, sid: str) -> set[str]:
    """Return the keys of the events of a session that need not be read again."""
    rows = connection.execute("SELECT key FROM events WHERE sid = ? AND at IS NOT NULL", (sid,))
    return {key for (key,) in rows}


def add_node_event(connection: sqlite3.Connection, node: str, at: float, what: str, detail: str) -> None:
    connection.execute("INSERT OR IGNORE INTO node_events VALUES (?,?,?,?)", (node, at, what, storable(detail)))


def node_states(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT node, state FROM nodes").fetchall())


def add_reduction(connection: sqlite3.Connection, sid: str, name: str) -> bool:
    """Note that a wish to reduce again was taken in; False if that was noted before."""
    return connection.execute("INSERT OR IGNORE INTO reductions VALUES (?,?)", (sid, name)).rowcount == 1


def reductions_known(connection: sqlite3.Connection, sid: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM reductions WHERE sid = ?", (sid,))}


def add_delivery(connection: sqlite3.Connection, sid: str, edition: int, name: str) -> None:
    connection.execute("INSERT OR IGNORE INTO deliveries VALUES (?,?,?)", (sid, edition, name))


def deliveries(connection: sqlite3.Connection, sid: str) -> dict[int, str]:
    """Return the folders in the outbox by their editions."""
    rows = connection.execute("SELECT edition, name FROM deliveries WHERE sid = ? ORDER BY edition", (sid,))
    return dict(rows.fetchall())
