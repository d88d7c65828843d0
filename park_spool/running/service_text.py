"""Which text of a service ran: one digest over the files of its folder, worked out again only when they have changed.

It stands in the header of every reply, so that the archive can say for ever what its results were made with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from park_spool.catalog.manifest import MANIFEST

LARGEST = 64 << 20  # bytes of a file that is read; of a larger one the size counts
LOOK_SECONDS = 1.0
_LEFT_OUT = ("__pycache__",)

Version = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as last looked at: when (monotonic), its files by size and time, and their digest."""

    at: float
    version: Version
    digest: str


@dataclass(slots=True)
class ServiceTexts:
    """The digests of the services in a node's folders; where two hold one name, the first counts."""

    folders: Sequence[Path]
    _seen: dict[str, Seen] = field(default_factory=dict)

    def origin(self, service: str, now: float) -> dict[str, str]:
        """Return what a reply says of the service that ran its jobs; an empty digest where there is none to be read."""
        seen = self._seen.get(service)
        if seen is None or now - seen.at >= LOOK_SECONDS:
            seen = self._seen[service] = self._look(service, seen, now)
        return {"service": service, "service_digest": seen.digest}

    def _look(self, service: str, before: Seen | None, now: float) -> Seen:
        folder = next((one / service for one in self.folders if (one / service / MANIFEST).is_file()), None)
        try:
            found = version(folder) if folder else ()
            if before is not None and before.version == found:
                return Seen(now, found, before.digest)
            return Seen(now, found, digest(folder, found) if folder else "")
        except OSError:
            return Seen(now, (), "")  # it is being edited, or a share is slow: the jobs matter more


def version(folder: Path) -> Version:
    """Tell one text of a folder from the next: its files by name, size and time, hidden and compiled ones left out."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                path = Path(parent, name)
                status = path.stat()
                found.append((path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def digest(folder: Path, found: Version) -> str:
    """Return the SHA-256 over the names and bytes of these files of a folder."""
    total = hashlib.sha256()
    for name, size, _ in found:
        text = b"" if size > LARGEST else (folder / name).read_bytes()
        total.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
        total.update(hashlib.sha256(text).digest())
    return total.hexdigest()
