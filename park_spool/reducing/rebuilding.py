"""The archive made again from the spool alone: sessions and bundles, nothing else, by the code that reduces.

    sessions, bundles ──▶ FILE.new ── checked ──▶ FILE       what stood there is FILE.old-1, .old-2, …

Guarantees: the new file is whole and without fault before it takes the place of the old one, which is kept. What only a
reducer saw (nodes, what runs) is not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from park_spool import filesystem
from park_spool.archive import checking
from park_spool.archive.writing import Archive
from park_spool.atomic import Disk
from park_spool.catalog.registry import Registry
from park_spool.errors import SpoolError
from park_spool.member import Member
from park_spool.reducing.batches import Reducing
from park_spool.reducing.reducers import Reducers

Tell = Callable[[int, int], None]  # sessions done, of how many

_LOGS = ("-wal", "-journal")  # what belongs to a file that was not closed in order; it must stay with it
SHOWN = 3


def rebuild(member: Member, target: Path, tell: Tell = lambda done, of: None) -> Path | None:
    """Make the archive again at `target`; return where the old one is now, None if there was none.

    Nobody may write the old one meanwhile (holding.py). Raises SpoolError if what was made is faulty.
    """
    disk = Disk(target.parent, f".{target.name}")
    made = target.with_name(f"{target.name}.new")
    for end in ("", *_LOGS, "-shm"):
        disk.unlink(_beside(made, end))  # CRASH: of one that was made again and came no further
    make(member, made, tell)
    if faults := checking.check(made, is_copy=True):  # nobody writes it: no log is made that would be left behind
        raise SpoolError(
            f"the archive that was made again is faulty, and was left as {made}; {target} was not touched: "
            + "; ".join(faults[:SHOWN])
        )
    old = _put_aside(disk, target)
    disk.sync(made)
    disk.move(made, target)  # at this instant it is the archive
    disk.sync(target.parent)
    return old


def make(member: Member, path: Path, tell: Tell) -> None:
    """Make an archive in a new file from what stands on the spool."""
    with Archive.open(path, is_local=not filesystem.is_shared(path.parent)) as archive:
        reducers = Reducers(archive, lambda: Registry.load(member.config.service_folders), member.monotonic)
        Reducing(member, archive, reducers).catch_up(tell)


def _put_aside(disk: Disk, target: Path) -> Path | None:
    """Rename an archive with its logs. CRASH: park-reduced then makes a new one, as it does where there is none."""
    if disk.kind(target) is None:
        return None
    old = next(path for number in count(1) if disk.kind(path := _beside(target, f".old-{number}")) is None)
    disk.move(target, old)
    for end in _LOGS:
        disk.move(_beside(target, end), _beside(old, end))
    disk.unlink(_beside(target, "-shm"))
    return old


def _beside(path: Path, end: str) -> Path:
    return path.with_name(f"{path.name}{end}")
