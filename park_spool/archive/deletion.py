"""Remove a deleted session: of all its rows one stays, and says that it was there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from .results import storable

_TABLES = (
    *("groups", "joblists", "jobs", "results", "files", "final_ranges", "duplicates", "attempts", "history", "texts"),
    *("messages", "bundles", "running", "retries"),
)


def delete(connection: sqlite3.Connection, sid: str, known: Mapping[str, Any]) -> None:
    """Remove a session's rows. `known` (user, file, received, at) is what is said of one that is not in here."""
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE sid = ?", (sid,))
    connection.execute("DELETE FROM replies WHERE name > ?1 || '.' AND name < ?1 || '/'", (sid,))
    connection.execute(
        "INSERT OR IGNORE INTO sessions VALUES (?, ?, '', ?, 0, 'deleted', ?, NULL, '', '')",
        (sid, storable(str(known["user"])), storable(str(known["file"])), float(known["received"])),
    )
    connection.execute(
        "UPDATE sessions SET state = 'deleted', closed = ifnull(closed, ?), session = '', xml = '' WHERE sid = ?",
        (float(known["at"]), sid),
    )


def deleted(connection: sqlite3.Connection) -> set[str]:
    return {sid for (sid,) in connection.execute("SELECT sid FROM sessions WHERE state = 'deleted'")}
