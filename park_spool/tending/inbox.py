"""When a name in the inbox is whole, so that nothing is ever half-read.

A pure decision over what has been seen of a name, and the memory of what has been seen. Times are the observer's
own monotonic clock; sizes and times of files only ever count as "changed" or "unchanged".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from park_spool.atomic import Disk, files_below
from park_spool.config import Config

Kind = Literal["xml", "zip", "folder", "unknown"]
Decision = Literal["wait", "take"]


def kind_of(name: str, kind: str) -> Kind:
    """Say what kind of submission a name is, given what it is on disk ("file", "folder", "link", "other").

    >>> kind_of("film.XML", "file"), kind_of("x.xml", "folder"), kind_of("notes.txt", "file")
    ('xml', 'folder', 'unknown')
    """
    if kind == "folder":
        return "folder"
    ending = name.lower().rpartition(".")[2]
    return ending if kind == "file" and ending in ("xml", "zip") else "unknown"  # type: ignore[return-value]


def decide(kind: Kind, is_closed: bool, still: float, is_well_formed: Callable[[], bool], config: Config) -> Decision:
    """Decide whether a name is whole. `still`: seconds unchanged over at least two looks; `is_closed`: inotify said so.

    Of a folder `is_closed` must also mean that only its owner can write to it, and did so before it was moved in.

    >>> decide("xml", True, 0.0, lambda: True, Config(Path("s"), Path("a")))
    'take'
    >>> decide("xml", True, 0.0, lambda: False, Config(Path("s"), Path("a")))
    'wait'
    """
    if kind == "xml":
        if still >= config.reject_seconds:
            return "take"
        return "take" if (is_closed or still >= config.settle_seconds) and is_well_formed() else "wait"
    if kind == "folder" and is_closed:
        return "take"
    needed = config.reject_seconds if kind == "unknown" else config.settle_folder_seconds
    return "take" if still >= needed else "wait"


def signature(disk: Disk, path: Path, kind: str) -> object:
    """Return a value that changes whenever a file, or anything in a folder, does."""
    if kind == "folder":
        return tuple((str(file), _mark(disk, file)) for file in sorted(files_below(path)))
    return _mark(disk, path)


def _mark(disk: Disk, path: Path) -> object:
    stat = disk.stat(path)
    return stat and (stat.st_size, stat.st_mtime_ns)


@dataclass(slots=True)
class Inbox:
    """What has been seen of each name: its signature and since when it is so."""

    _seen: dict[str, tuple[object, float]] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)

    def heard(self, names: Iterable[str]) -> None:
        """Take in the names that inotify reported as closed after writing, or as moved in."""
        self._closed.update(names)

    def forget(self, present: Collection[str]) -> None:
        self._seen = {name: seen for name, seen in self._seen.items() if name in present}
        self._closed.intersection_update(present)

    def still(self, name: str, mark: object, now: float) -> float:
        """Return for how long a name has been unchanged; 0 at its first look and after every change."""
        seen, since = self._seen.get(name, (None, now))
        if name not in self._seen or seen != mark:
            since = now
        self._seen[name] = (mark, since)
        return now - since

    def is_closed(self, name: str) -> bool:
        return name in self._closed

    @property
    def is_waiting(self) -> bool:
        """Say whether something lies in the inbox that only another look can decide."""
        return bool(self._seen)
