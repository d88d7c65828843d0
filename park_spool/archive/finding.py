"""Which archive to read from this host: the reducer's own file where that can be, else the newest copy on the spool.

the file is here, and is the one that the reducer writes ──▶ it
else a snapshot stands in the spool's archive/           ──▶ the newest, and how old it is
else the file is here, of a reducer that was here once   ──▶ it
else nothing                                             ──▶ NotFound, in a sentence
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from park_spool import filesystem, leadership, naming, processes, sealed
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, TemporaryError, TornError
from park_spool.layout import Layout
from park_spool.progress import duration

from .reading import ArchiveReader


@dataclass(frozen=True, slots=True)
class Found:
    """An archive to read; `age` is how many seconds ago it was copied, None if it is the reducer's own file."""

    reader: ArchiveReader
    age: float | None = None

    @property
    def note(self) -> str:
        """Say that it is a copy, and how old; empty if it is none.

        >>> Found(ArchiveReader(Path("a")), 200.4).note
        'from a snapshot that is 3 min 20 s old'
        """
        return "" if self.age is None else f"from a snapshot that is {duration(max(self.age, 0.0))} old"


def find(config: Config, disk: Disk | None = None, wall: Callable[[], float] = time.time) -> Found:
    """Find the archive to read. Raises NotFound if there is none that can be read from here."""
    disk = disk or Disk(config.layout.tmp, "find")
    is_here, host = config.archive.is_file(), reducer_host(disk, config.layout)
    has_copy = newest(disk, config.layout) is not None
    match choose(is_here, is_certain(config), host, processes.identity().host, has_copy):
        case "file":
            return Found(ArchiveReader(config.archive))
        case "copy":
            return _open_copy(disk, config.layout, wall)
    if host in (None, processes.identity().host):
        raise NotFound(f"there is no archive at {config.archive} yet: park-reduced makes it when it starts")
    raise NotFound(
        f"the archive is on {host}, which reduces, and no snapshot of it is in {config.layout.snapshots} yet: "
        f"one comes there by itself; `park archive snapshot` on {host} makes one now"
    )


def _open_copy(disk: Disk, spool: Layout, wall: Callable[[], float], looks: int = 3) -> Found:
    """Open the newest copy. RACE: it may be replaced by a newer one between the listing and the look."""
    copy = newest(disk, spool)
    if copy is None:
        raise TemporaryError(f"the snapshots in {spool.snapshots} are just being replaced; look again")
    reader = ArchiveReader(copy, is_copy=True)
    try:
        return Found(reader, wall() - reader.copied())
    except TemporaryError:
        if looks == 1:
            raise
        return _open_copy(disk, spool, wall, looks - 1)


def choose(
    is_here: bool, is_certain: bool, reducer: str | None, host: str, has_copy: bool
) -> Literal["file", "copy"] | None:
    """Choose between the file and the newest copy; `reducer` is the host that reduces, None if nobody does.

    >>> choose(True, False, "n4", "n4", True), choose(True, False, "n4", "n5", True)
    ('file', 'copy')
    """
    if is_here and (is_certain or reducer in (None, host)):
        return "file"
    if has_copy:
        return "copy"
    return "file" if is_here else None


def is_certain(config: Config) -> bool:
    """Say whether the file is the reducer's for certain, if it is there: every host that sees the spool sees it so."""
    return config.archive.is_relative_to(config.spool) and not filesystem.is_shared(config.archive.parent)


def reducer_host(disk: Disk, spool: Layout) -> str | None:
    """Return the host of the active reducer, None if there is none."""
    active = leadership.best(leadership.locks(disk, spool, "reduced"))
    data = disk.read(spool.locks / active.name) if active else None
    try:
        return processes.Identity.from_json(sealed.unseal_json(data)).host if data is not None else None
    except TornError:
        return None


def newest(disk: Disk, spool: Layout) -> Path | None:
    """Return the newest copy of the archive that stands on the spool, None if there is none."""
    names = disk.names(spool.snapshots)
    found = [(seq[1], name) for name in names if (seq := naming.parse_snapshot(name)) is not None]
    return spool.snapshots / max(found)[1] if found else None
