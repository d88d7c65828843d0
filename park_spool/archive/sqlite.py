"""Connections to the archive: how they are opened, and what SQLite's errors mean.

The writer's connection never begins a transaction by itself (isolation_level None): BEGIN IMMEDIATE is said
in one place, so a second writer is met at the start of a transaction and not in its middle.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from park_spool.errors import NotFound, SpoolError, TemporaryError

LATEST = "0003 foreign keys, data sets, parameters, events, provenance"  # the last migration, see schema.py
WRITER_PATIENCE = 30.0  # seconds to wait for another program's lock, e.g. a user's sqlite3 shell
READER_PATIENCE = 5.0
# The low byte of SQLite's error code.  A full disk, a cut cable or a lock held by another passes by itself.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def is_passing(error: sqlite3.Error) -> bool:
    """Say whether trying again later can help."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING


def connect_writer(path: Path, *, is_local: bool) -> sqlite3.Connection:
    """Open the archive for writing, making the file if it is not there.

    NFS: SQLite's write-ahead log needs memory shared by all who open the file, so it is used on a local
    disk only. CRASH: with it, synchronous=NORMAL may lose the last commits in a power cut, never the file;
    the replies in them are read again from their bundles.
    """
    connection = sqlite3.connect(path, timeout=WRITER_PATIENCE, isolation_level=None)
    try:
        connection.execute(f"PRAGMA journal_mode = {'wal' if is_local else 'delete'}")
        connection.execute(f"PRAGMA synchronous = {'normal' if is_local else 'full'}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Say in words why the archive could not be opened."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_passing(error) and path.exists():
            raise TemporaryError(f"the archive {path} cannot be opened now: {error}; it is tried again") from error
        raise SpoolError(f"the archive {path} cannot be opened: {error}; it was left as it is") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one transaction: committed at its end, rolled back on anything raised in it."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # an error such as a full disk has rolled back already
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        if not is_passing(error):
            raise
        raise TemporaryError(f"the archive could not be written: {error}; nothing of this batch was kept") from error


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo only what the block did if something is raised in it; the transaction around it goes on."""
    connection.execute("SAVEPOINT park")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO park")
            connection.execute("RELEASE park")
        raise
    connection.execute("RELEASE park")


@contextmanager
def snapshot(path: Path, *, is_copy: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the archive read-only for one consistent look at it; it can neither write nor hold up the writer.

    A copy is never written again, so it is read without any lock, which a share might not have.
    Raises NotFound, in a sentence, while the file is not there or is still being made.
    """
    if is_copy and not path.is_file():
        raise TemporaryError(f"the snapshot {path.name} was replaced by a newer one just now; look again")
    if not path.is_file():
        raise NotFound(f"there is no archive at {path} yet: park-reduced makes it when it starts")
    try:
        connection = _begin(path, "immutable=1") if is_copy else _connect_reader(path)
    except sqlite3.DatabaseError as error:
        raise _in_words(path, error, is_copy=is_copy) from error
    try:
        with said_in_words(connection, path, is_copy=is_copy):
            yield connection
    finally:
        connection.close()


@contextmanager
def said_in_words(connection: sqlite3.Connection, path: Path, *, is_copy: bool) -> Iterator[sqlite3.Connection]:
    """Say in a sentence what goes wrong with a look that was begun."""
    try:
        yield connection
    except sqlite3.DatabaseError as error:
        raise _in_words(path, error, is_copy=is_copy) from error


def _connect_reader(path: Path) -> sqlite3.Connection:
    """Open the archive and begin to read.

    A reader of the write-ahead log must make the log where there is none.  One who may not write in the folder
    cannot; but without a log nobody writes, and so the file may be taken as it is (immutable).
    """
    try:
        return _begin(path, "mode=ro")
    except sqlite3.OperationalError as error:
        log = path.with_name(f"{path.name}-wal")
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or log.exists():
            raise
        return _begin(path, "immutable=1")


def _begin(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=READER_PATIENCE)
    try:
        connection.isolation_level = None
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # the snapshot is taken here
    except BaseException:
        connection.close()
        raise
    return connection


def _in_words(path: Path, error: sqlite3.DatabaseError, *, is_copy: bool) -> Exception:
    """Return what a reader is told, or the error itself where it is a mistake of ours."""
    if "no such " in str(error) and (known := _migrations(path, is_copy=is_copy)) is not None and LATEST not in known:
        if not known:
            return NotFound(f"the archive {path} is still being made; look again in a moment")
        return NotFound(f"the archive {path} is of an earlier version; park-reduced brings it to date when it starts")
    if is_passing(error):
        return TemporaryError(f"the archive {path} cannot be read now: {error}; look again in a moment")
    if error.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return SpoolError(f"{path} is not a whole archive: {error}; restore it, or move it away to have it made again")
    return error


def _migrations(path: Path, *, is_copy: bool) -> list[str] | None:
    """Return the migrations that made an archive what it is; None if it cannot be read."""
    try:
        with closing(_begin(path, "immutable=1" if is_copy else "mode=ro")) as connection:
            rows = connection.execute("SELECT name FROM _sqlite_migrations ORDER BY 1")
            return [str(name) for (name,) in rows]
    except sqlite3.OperationalError as error:
        return [] if "no such " in str(error) else None
    except sqlite3.DatabaseError:
        return None
