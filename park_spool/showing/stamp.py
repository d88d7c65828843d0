"""Short texts that change whenever anything that is shown may have changed; they cost a few stats and listings.

The archive's files change with every commit, the names on the spool with everything else. A page that asks again and
again is answered from memory while the text stands; what the archive alone says does not change with a heartbeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from park_spool import leadership
from park_spool.atomic import Disk
from park_spool.config import Config

RACY = 50_000_000  # ns: two writes within a tick of the file system's clock leave one time
MOST_SESSIONS = 500


class Stamps(NamedTuple):
    """Of what the archive says, whichever copy of it is read; and of all that is shown."""

    archive: str
    spool: str


def stamps(settings: Config, disk: Disk, clock: Callable[[], int] = time.time_ns) -> Stamps:
    """Return the stamps of what is shown of this spool; `clock` is the time of the day in nanoseconds."""
    spool = settings.layout
    path, now = settings.archive, clock()
    files = [_mark(one, now) for one in (path, path.with_name(f"{path.name}-wal"))]
    holders = sorted({(lock.role, lock.candidate) for lock in leadership.locks(disk, spool)})
    archive = _digest(files, sorted(disk.names(spool.snapshots, hidden=True)), holders)
    shown = (spool.inbox, spool.sessions, spool.nodes, spool.notices)
    names = [sorted(disk.names(folder, hidden=True)) for folder in shown]
    said = [spool.sessions / name for name in names[1][:MOST_SESSIONS]]  # controls, retries and tallies stand there
    folders = [_mark(folder, now) for folder in (spool.rejected, spool.outbox, *said)]
    return Stamps(archive, _digest(archive, names, folders))


def _digest(*seen: object) -> str:
    return sha256(repr(seen).encode()).hexdigest()[:20]


def _mark(path: Path, now: int) -> object:
    """Return what changes when a file or folder is written.

    RACE: what was written just now may be written again within one tick, and look the same; until it has rested, every
    look is different from the one before.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    unsure = now if abs(now - stat.st_mtime_ns) < RACY else 0
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, unsure
