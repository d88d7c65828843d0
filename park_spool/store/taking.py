"""Taking a local file in: a second name for it where that is safe, else a clone of its blocks, else a copy.

A second name is safe where it is on this file system, ours, and read-only for everybody (0444): a file that its owner
can still write would change under its digest, and the store would have to change its mode.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.errors import DataError, TemporaryError
from park_spool.store.hashed import PIECE, HashedFile


def bring(disk: Disk, source: Path, file: HashedFile) -> None:
    """Let `file` be what the source holds, and count it in.

    Raises DataError where there is no regular file (a link is not followed), TemporaryError if it changes meanwhile.
    """
    descriptor = _opened(source)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise DataError(f"{source} is not a regular file; nothing was taken in")
        if _is_linked(disk, source, before, file.path) or file.clone(descriptor):
            file.resume()
        else:
            for piece in iter(lambda: os.read(descriptor, PIECE), b""):
                file.write(piece)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or file.size != before.st_size:
        raise TemporaryError(f"{source} changed while it was read; nothing was taken in. Try again")


def _opened(source: Path) -> int:
    try:
        return os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}; nothing was taken in") from error


def _is_linked(disk: Disk, source: Path, status: os.stat_result, target: Path) -> bool:
    here = target.parent.stat().st_dev
    if (status.st_dev, status.st_uid, stat.S_IMODE(status.st_mode)) != (here, os.geteuid(), 0o444):
        return False
    with suppress(OSError):  # another mount of the same disk, or a file system without links
        if disk.link(source, target) and os.path.samestat(target.lstat(), status):
            return True
    disk.unlink(target)
    return False
