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
        self._seen: bytes | None = None

    def read(self) -> list[Host]:
        """Read the file. Raises HostsError."""
        self._seen = _bytes(self._path)  # RACE: before it is read, so that a change meanwhile is seen as one
        return reading.choose(reading.read(self._path), self.wanted)

    def changed(self, tell: Callable[[str], None]) -> list[Host] | None:
        """Return the hosts if the file has changed since it was read last; None if not, or if it is wrong now.

        What is wrong is told, once for each change.
        """
        if _bytes(self._path) == self._seen:
            return None
        try:
            hosts, why = self.read(), f"{self._path}: names no machine"
        except HostsError as error:
            hosts, why = [], str(error)
        if not hosts:
            tell(f"{why}; the hosts stay as they were")
        return hosts or None


def _bytes(path: Path) -> bytes | None:
    """Read a small file; None if it is not there. NFS: size and time may be old, or the same after a change."""
    try:
        return path.read_bytes()
    except OSError:
        return None
