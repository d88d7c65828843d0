"""Remove a deleted session: of all its rows one stays, and says that it was there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from .results import storable

_TABLES = (
    *("groups", "joblists", "jobs", "results", "parameters", "files", "final_ranges", "duplicates", "attempts"),
    *("history", "texts", "messages", "data_sets", "provenance", "events", "deliveries", "retries", "reductions"),
    *("bundles", "running"),
)


def delete(connection: sqlite3.Connection, sid: str, known: Mapping[str, Any]) -> None:
    """Remove a session's rows, and of the one that stays what its tombstone does not say, too.

    `known` (user, file, received, at) is what the tombstone says.
    """
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE sid = ?", (sid,))
    connection.execute("DELETE FROM replies WHERE name > ?1 || '.' AND name < ?1 || '/'", (sid,))
    connection.execute(
        "INSERT OR IGNORE INTO sessions VALUES (?, ?, '', ?, 0, 'deleted', ?, NULL, '', '')",
        (sid, storable(str(known["user"])), storable(str(known["file"])), float(known["received"])),
    )
    connection.execute(
        "UPDATE sessions SET state = 'deleted', closed = ?, email = '', priority = 0, session = '', xml = ''"
        " WHERE sid = ?",
        (float(known["at"]), sid),
    )


def deleted(connection: sqlite3.Connection) -> set[str]:
    return {sid for (sid,) in connection.execute("SELECT sid FROM sessions WHERE state = 'deleted'")}
