"""A hosts file that is read again when it has changed: machines join a cluster, and leave it, while that runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from park_spool.errors import HostsError
from park_spool.hosts import reading
from park_spool.hosts.reading import Host


class Following:
    """One file, and which of its hosts are `wanted`: all, if none is named."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        self._path, self.wanted = path, wanted
        self._seen: object = None

    def read(self) -> list[Host]:
        """Read the file. Raises HostsError."""
        self._seen = _mark(self._path)  # RACE: before it is read, so that a change meanwhile is seen as one
        return reading.choose(reading.read(self._path), self.wanted)

    def changed(self, tell: Callable[[str], None]) -> list[Host] | None:
        """Return the hosts if the file has changed since it was read last; None if not, or if it is wrong now.

        What is wrong is told, once for each change.
        """
        if _mark(self._path) == self._seen:
            return None
        try:
            hosts, why = self.read(), f"{self._path}: names no machine"
        except HostsError as error:
            hosts, why = [], str(error)
        if not hosts:
            tell(f"{why}; the hosts stay as they were")
        return hosts or None


def _mark(path: Path) -> object:
    """Return what tells one state of a file from another; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
