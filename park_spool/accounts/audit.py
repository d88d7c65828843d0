"""The record of who did what, kept for ever."""

from __future__ import annotations

from sqlite3 import Connection

from .rows import Entry

LONGEST = {"user": 64, "via": 20, "address": 64, "what": 100, "sid": 64, "detail": 1000}

LARGEST = 2**63 - 1  # that SQLite has room for


def record(connection: Connection, at: float, *words: str) -> None:
    """Record user, via, address, what, sid and detail; what is too long is cut."""
    cut = [word[:longest] for word, longest in zip(words, LONGEST.values(), strict=True)]
    connection.execute(f"INSERT INTO audit (at, {', '.join(LONGEST)}) VALUES (?, ?, ?, ?, ?, ?, ?)", (at, *cut))


def page(connection: Connection, user: str | None, before: int | None, limit: int) -> list[Entry]:
    """Return entries, the newest first: all or a user's, from below an entry's number on."""
    query = "SELECT * FROM audit WHERE (? IS NULL OR user = ?) AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?"
    before = None if before is None else max(0, min(before, LARGEST))
    return [Entry(*row) for row in connection.execute(query, (user, user, before, before, limit))]
