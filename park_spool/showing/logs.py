"""The logs of the daemons, as they stand in the spool's logs/: which there are, and the end of one."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, TemporaryError
from park_spool.layout import parse_log

MOST_LINES = 2000
MOST_BYTES = 4 * 1024 * 1024  # of the end of a file that are looked through
PIECE = 64 * 1024
MOST_WIDTH = 4000  # characters of a line
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LINE = re.compile(rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)?) ({'|'.join(LEVELS)}) ([\w.]+): ", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log: whose it is, `size` in bytes, when it was last written; `number` counts older ones, 0 is the newest."""

    name: str
    daemon: str
    host: str
    number: int
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line. `at` is as the log has it, in its host's own time; what follows a line without a head has its level."""

    at: str
    level: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a log, the oldest of them first; `is_cut`: the file has more than was looked through."""

    file: LogFile
    lines: tuple[LogLine, ...]
    is_cut: bool


def logs(settings: Config, disk: Disk) -> tuple[LogFile, ...]:
    """Return the logs, those of one daemon and host together, the newest first."""
    folder = settings.layout.logs
    found = [one for name in disk.names(folder) if (one := _file(disk, folder, name))]
    return tuple(sorted(found, key=lambda one: (one.daemon, one.host, one.number)))


def _file(disk: Disk, folder: Path, name: str) -> LogFile | None:
    known = parse_log(name)
    if known is None or disk.kind(folder / name) != "file":
        return None
    stat = disk.stat(folder / name)
    return None if stat is None else LogFile(name, *known, stat.st_size, stat.st_mtime)


def tail(settings: Config, disk: Disk, name: str, lines: int = 200, level: str = "", text: str = "") -> LogTail:
    """Return the last lines of a log, at least of this level and with this text in them, where these are given.

    Raises NotFound if there is no such log, or level.
    """
    if level and level not in LEVELS:
        raise NotFound(f"there is no level {level!r}: expected one of {', '.join(LEVELS)}")
    if not 1 <= lines <= MOST_LINES:
        raise NotFound(f"expected 1 to {MOST_LINES} lines, got {lines}")
    file = _file(disk, settings.layout.logs, name)
    if file is None:
        raise NotFound(f"there is no log {name!r}")
    data = _end(settings.layout.logs / name)
    is_cut = file.size > len(data)
    found = deque((line for line in read(data, is_cut) if _is_wanted(line, level, text)), maxlen=lines)
    return LogTail(file, tuple(found), is_cut)


def _end(path: Path) -> bytes:
    """Read the end of a file that others write to. Raises TemporaryError if it has gone just now."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - MOST_BYTES, 0))
            return file.read(MOST_BYTES)
    except OSError as error:
        raise TemporaryError(f"the log {path.name} cannot be read now: {error.strerror}; look again") from error


def read(data: bytes, is_cut: bool = False) -> Iterator[LogLine]:
    r"""Read the lines of a log; `is_cut`: the first may be half of one.

    >>> [line.level for line in read(b"half\n2026-11-23 02:55:31,120 ERROR park: no\n  more\n", True)]
    ['ERROR', 'ERROR']
    """
    at = level = source = ""
    for number, words in enumerate(data.decode(errors="replace").splitlines()):
        match = _LINE.match(words)
        if match is None and number == 0 and is_cut:
            continue
        if match is not None:
            at, level, source = match.groups()
        yield LogLine(at, level, source, (words[match.end() :] if match else words)[:MOST_WIDTH])


def _is_wanted(line: LogLine, level: str, text: str) -> bool:
    if level and (line.level not in LEVELS or LEVELS.index(line.level) < LEVELS.index(level)):
        return False
    return text.lower() in f"{line.source} {line.text}".lower()
