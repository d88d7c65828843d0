"""Give back the room that deleted and moved rows left in the archive, while it is used or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from park_spool.errors import NotFound, SpoolError, TemporaryError

from .sqlite import WRITER_PATIENCE, is_passing


@dataclass(frozen=True, slots=True)
class Sizes:
    """The bytes of the archive and its log, before and after; `is_log_left`: somebody reads what is in the log."""

    before: int
    after: int
    is_log_left: bool


def compact(archive: Path, patience: float = WRITER_PATIENCE) -> Sizes:
    """Rewrite the archive without gaps, and empty its log.

    park-reduced may run: its batches wait meanwhile, and one that waited too long is tried again. Raises NotFound if
    there is no archive, TemporaryError if it stays in use for longer than `patience` seconds, or the disk is full.
    """
    if not archive.is_file():
        raise NotFound(f"there is no archive at {archive} yet: park-reduced makes it when it starts")
    before = size(archive)
    place = f"{archive.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(place, uri=True, timeout=patience, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(truncate)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_passing(error):
            raise TemporaryError(
                f"{archive} cannot be made compact now: {error}; nothing was changed, try again later"
            ) from error
        raise SpoolError(f"{archive} cannot be made compact: {error}; it was left as it is") from error
    return Sizes(before, size(archive), bool(busy))


def size(archive: Path) -> int:
    """Return the bytes of an archive with its log."""
    log = archive.with_name(f"{archive.name}-wal")
    return sum(path.stat().st_size for path in (archive, log) if path.exists())
