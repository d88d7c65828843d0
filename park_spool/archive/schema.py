"""The migrations that make the archive and bring it to the present schema.

A migration, once released, is never edited: a change of the schema is a new one at the end.  All that are due run in
the one transaction that records them, so a crash leaves the archive before or after them, and nobody reads it between.
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING

from . import earlier, migrating, spool_tables, tables, views
from .sqlite import LATEST, transaction

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the archive behind this connection to the present schema, making it if the file is new."""
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)
    if _migrations(connection, is_new=False).pending(database):
        with transaction(connection):
            # Those that another process has applied since the look are not pending any more.
            _migrations(connection, is_new=not database["meta"].exists()).apply(database)


def _migrations(connection: sqlite3.Connection, *, is_new: bool) -> Migrations:
    """Return all migrations; a new file is made at once as it is to be, and says that it has had each of them."""
    from sqlite_utils import Migrations

    migrations = Migrations("park_spool")

    @migrations(name="0001 tables and views")
    def tables_and_views(db: Database) -> None:
        migrating.run(connection, tables.TABLES + spool_tables.TABLES if is_new else earlier.TABLES + earlier.VIEWS)
        db.execute("INSERT INTO meta VALUES ('identity', ?)", [secrets.token_hex(16)])

    @migrations(name="0002 kept files, what runs, retries")
    def files_running_retries(db: Database) -> None:
        if not is_new:
            migrating.run(connection, earlier.LATER)

    @migrations(name=LATEST)
    def foreign_keys(db: Database) -> None:
        if is_new:
            migrating.run(connection, views.VIEWS)
        else:
            migrating.rebuild(connection)

    return migrations
