"""Copies of the archive: whole and of one instant, for a user, or on the spool for hosts that cannot read the archive.

    archive ── VACUUM INTO ──▶ tmp/… ── fsync, rename ──▶ archive/snapshot.REDUCER.SEQ.sqlite

Guarantees: nobody ever sees half a copy; making one neither waits for the writer nor holds it up; a copy is compact,
not in SQLite's log mode, and says when it was made (`meta`, 'copied').
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from park_spool import leadership, naming
from park_spool.config import Config
from park_spool.errors import NotFound, SpoolError, TemporaryError
from park_spool.member import Member

from .sqlite import READER_PATIENCE, is_passing

SHARE = 100  # at most one part in so many of the time goes into copying


def is_wanted(config: Config) -> bool:
    """Say whether some host may see the spool and not the archive, so that copies are to stand on the spool."""
    return config.is_shared or not config.archive.is_relative_to(config.spool)


def is_due(every: float, since: float | None, took: float, is_changed: bool = True) -> bool:
    """Say whether the next copy is to be made: something changed, and there has been time enough since the last.

    `every` is the setting `snapshot_seconds`; `since` is how long ago the last copy was begun, None if there is none;
    `took` is how long it took. All in seconds.

    >>> is_due(60.0, None, 0.0), is_due(60.0, 59.0, 0.1), is_due(60.0, 61.0, 0.1), is_due(60.0, 61.0, 5.0)
    (True, False, True, False)
    >>> is_due(60.0, 61.0, 0.1, is_changed=False)
    False
    """
    return since is None or (is_changed and since >= max(every, SHARE * took))


def state(archive: Path) -> tuple[tuple[int, int], ...]:
    """Return what changes whenever something is written into the archive: its files' sizes and times."""
    found = []
    for path in (archive, archive.with_name(f"{archive.name}-wal")):
        try:
            status = path.stat()
            found.append((status.st_size, status.st_mtime_ns))
        except FileNotFoundError:
            found.append((0, 0))
    return tuple(found)


def publish(member: Member, archive: Path) -> Path:
    """Publish a copy of the archive on the spool, remove the older ones that it replaces, and return its path.

    Raises NotFound if there is no archive, TemporaryError if the disk is full or the archive cannot be read now.
    """
    disk, spool = member.disk, member.layout
    known = [(name, found) for name in disk.names(spool.snapshots) if (found := naming.parse_snapshot(name))]
    seq = max((found[1] for _, found in known), default=0) + 1
    path = spool.snapshots / naming.snapshot_name(member.name, seq)
    # At the rename the snapshot is published.
    disk.publish_made(path, lambda temporary: copy(archive, temporary, member.wall()))
    living = {lock.candidate for lock in leadership.locks(disk, spool)}
    for name, (reducer, number) in known:
        if number < seq and (reducer == member.name or reducer not in living):
            disk.unlink(spool.snapshots / name)
    return path


def copy(archive: Path, target: Path, at: float) -> None:
    """Write a copy of the archive to a name that is not there, as it is now; `at` is the time of the clock on the wall.

    Raises NotFound if there is no archive, TemporaryError if the disk is full or the archive cannot be read now.
    """
    if not archive.is_file():
        raise NotFound(f"there is no archive at {archive} yet: park-reduced makes it when it starts")
    source, made = f"{archive.absolute().as_uri()}?mode=ro", f"{target.absolute().as_uri()}?nolock=1"
    try:
        with closing(sqlite3.connect(source, uri=True, timeout=READER_PATIENCE)) as connection:
            connection.execute("PRAGMA synchronous = off")  # of the copy: whoever asked for it makes it durable
            connection.execute("VACUUM INTO ?", (made,))  # NFS: nobody knows it yet, and a share may have no locks
        with closing(sqlite3.connect(made, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = off")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('copied', ?)", (repr(at),))
    except sqlite3.DatabaseError as error:
        what = f"{archive} cannot be copied to {target.parent}"
        if is_passing(error):
            raise TemporaryError(f"{what} now: {error}; nothing was made") from error
        raise SpoolError(f"{what}: {error}; nothing was made, `park archive check` says more") from error
