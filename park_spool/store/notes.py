"""The store's small files: sealed JSON, published whole, durable unless said otherwise, and read without a complaint.

Guarantees: what is not whole, not JSON or not a file is None to a reader, whatever its bytes are.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from park_spool import sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def read(disk: Disk, path: Path) -> dict[str, Any] | None:
    """Read a note; None if there is none that is whole."""
    try:
        data = disk.read(path) if disk.kind(path) == "file" else None
        return None if data is None else sealed.unseal_json(data)
    except (TornError, RecursionError, NotADirectoryError):
        return None


def write(disk: Disk, path: Path, fields: dict[str, Any], durable: bool = True) -> None:
    """Write a note in the place of whatever stood there."""
    if disk.kind(path) == "folder":
        disk.remove_tree(path)
    disk.publish(path, sealed.seal_json(fields), durable)


def write_once(disk: Disk, path: Path, fields: dict[str, Any]) -> bool:
    """Write a note under a name that nobody has yet; False if it is taken."""
    data, temporary = sealed.seal_json(fields), disk.temporary()
    try:
        disk.create(temporary, data)
        disk.sync(temporary)
        is_first = disk.link(temporary, path)  # at this instant it is said
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        is_first = disk.create(path, data)  # CRASH: a torn one is skipped by its readers, and its number not used again
        disk.sync(path)
    finally:
        disk.unlink(temporary)
    disk.sync(path.parent)
    return is_first
