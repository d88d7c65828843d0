"""The migrations that make the archive and bring it to the present schema.

A migration, once released, is never edited: a change of the schema is a new one at the end.  Each runs in the
transaction that records it, so a crash leaves the archive before or after it, never between.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from .tables import LATER, TABLES, VIEWS

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the archive behind this connection to the present schema, making it if the file is new."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations("park_spool")

    @migrations(name="0001 tables and views")
    def tables_and_views(db: Database) -> None:
        _run(db, TABLES + VIEWS)
        db.execute("INSERT INTO meta VALUES ('identity', ?)", [secrets.token_hex(16)])

    @migrations(name="0002 kept files, what runs, retries")
    def files_running_retries(db: Database) -> None:
        _run(db, LATER)

    migrations.apply(Database(connection, execute_plugins=False))


def _run(db: Database, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)
