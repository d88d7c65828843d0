"""The questions about what reducers said in all sessions; and the XML of one, as it was received.

A place is a row's number. It may be given again when the newest messages go (a reducer that begins anew) and when the
archive is compacted: who has seen a place above the last one begins anew, too.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .rows import MessageRow

_COLUMNS = 'm.sid, m.group_number AS "group", m.number, m.at, m.text'
_WANTED = """
  (?1 IS NULL OR m.sid = ?1) AND (?2 IS NULL OR s.user = ?2)
  AND (?3 IS NULL OR instr(lower(m.text), lower(?3)))"""
_NEWEST = f"""
  SELECT m.rowid AS place, {_COLUMNS} FROM messages m
  JOIN sessions s INDEXED BY sessions_to_find ON s.sid = m.sid
  WHERE {_WANTED} AND m.rowid < ?4 ORDER BY m.rowid DESC LIMIT ?5"""
_AFTER = f"""
  SELECT m.rowid AS place, {_COLUMNS} FROM messages m
  JOIN sessions s INDEXED BY sessions_to_find ON s.sid = m.sid
  WHERE {_WANTED} AND m.rowid > ?4 ORDER BY m.rowid LIMIT ?5"""
EVER = 2**62

Placed = tuple[int, str, MessageRow]  # the place in the order in which they came, the session, the message


@dataclass(frozen=True, slots=True)
class SaidWanted:
    """Which messages are wanted; None is any. `owner` is whose sessions may be seen, `text` part of a message."""

    sid: str | None = None
    owner: str | None = None
    text: str | None = None


def before(connection: sqlite3.Connection, wanted: SaidWanted, place: int, limit: int) -> list[Placed]:
    """Return messages that came before a place, the newest first."""
    return _placed(connection.execute(_NEWEST, (wanted.sid, wanted.owner, wanted.text, place, limit)))


def after(connection: sqlite3.Connection, wanted: SaidWanted, place: int, limit: int) -> list[Placed]:
    """Return messages that came after a place, the first one first."""
    return _placed(connection.execute(_AFTER, (wanted.sid, wanted.owner, wanted.text, place, limit)))


def last(connection: sqlite3.Connection) -> int:
    """Return the place of the newest message, 0 if there is none."""
    (place,) = connection.execute("SELECT ifnull(max(rowid), 0) FROM messages").fetchone()
    return int(place)


def _placed(rows: sqlite3.Cursor) -> list[Placed]:
    return [(row["place"], row["sid"], MessageRow(row["group"], row["number"], row["at"], row["text"])) for row in rows]


def xml(connection: sqlite3.Connection, sid: str) -> str:
    """Return a session's XML as it was received; empty of one that was deleted."""
    row = connection.execute("SELECT xml FROM sessions WHERE sid = ?", (sid,)).fetchone()
    return "" if row is None else str(row[0])


def session_json(connection: sqlite3.Connection, sid: str) -> str:
    """Return a session as it was understood, as JSON; empty of one that was deleted."""
    row = connection.execute("SELECT session FROM sessions WHERE sid = ?", (sid,)).fetchone()
    return "" if row is None else str(row[0])
