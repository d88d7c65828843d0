"""The file: how it is made, opened and written, and what its errors mean in words.

Guarantees: only its owner may read it; a transaction is short, and is the only one at its instant, over all threads and
processes. NFS: the write-ahead log is used on a local disk only.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from park_spool import filesystem
from park_spool.errors import SpoolError, TemporaryError

from .tables import TABLES, VERSION

PATIENCE = 10.0  # s to wait for another program's lock
_LASTING = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT)


class Database:
    """One connection that all threads of a process share, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        with in_words(path):
            _make_file(path)
            self._connection = connect(path)
            try:
                _prepare(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction: committed at its end, rolled back on anything raised in it."""
        with self._lock, in_words(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a single look."""
        with self._lock, in_words(self.path):
            yield self._connection


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for all threads; whoever uses the connection keeps them apart."""
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Say in a sentence what SQLite and the system have against it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise SpoolError(
                f"{path} is not the file of the page's users: {error}; restore it, or move it away to begin anew"
            ) from error
        if code in _LASTING:
            raise
        raise TemporaryError(
            f"the page's users, {path}, cannot be reached now: {error}; nothing was changed"
        ) from error
    except PermissionError as error:
        raise SpoolError(
            f"{path} cannot be opened: {error.strerror}; only its owner may see the page's users"
        ) from error


def _make_file(path: Path) -> None:
    """Make the file, if it is not there, for its owner alone; what SQLite puts beside it has the same rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(number)
        if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
            os.fchmod(number, 0o600)
    finally:
        os.close(number)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, if they are not there. RACE: two may come at once; the second one finds them made."""
    is_local = not filesystem.is_shared(path.parent)
    try:
        connection.execute(f"PRAGMA journal_mode = {'wal' if is_local else 'delete'}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise  # else another one is setting it just now: both are of one mind
    connection.execute("PRAGMA synchronous = full")  # who was removed must not come back with the power
    connection.execute("PRAGMA foreign_keys = on")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise SpoolError(f"{path} was made by a later version of park-spool ({version}, known are 1 to {VERSION})")
        if version == 0:
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
