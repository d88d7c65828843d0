"""One node for each spool and name on a machine: a lock of this machine's kernel, which goes with its process.

The file lies in the system's temporary folder, in a folder of the user's own. Two masters may so start a node on one
host at once: the second one finds the lock held, and ends.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from park_spool.errors import ConfigError


def lock_of(spool: Path, name: str, folder: Path | None = None) -> BaseFileLock | None:
    """Take the lock of a spool and a node's name; None if another process holds it. It is held until it is released.

    Raises ConfigError if the folder of the locks is not this user's own.
    """
    place = folder or Path(tempfile.gettempdir()) / f"park-spool-locks-{os.getuid()}"
    _make_own(place)
    word = hashlib.sha256(f"{spool.resolve()}\0{name}".encode()).hexdigest()[:24]
    lock = FileLock(place / f"{word}.lock", mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def _make_own(place: Path) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ConfigError(
            f"--single: expected {place} to be a folder that only you may write to, and it is not; "
            "remove it, or start park-noded without --single"
        )
