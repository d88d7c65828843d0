"""A folder of the outbox as a zip, given piece by piece while it is read: it may be larger than memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path


def zipped(folder: Path, name: str) -> Iterator[bytes]:
    """Yield the zip of a folder, all its files below `name`. Answers never change, so what is listed is there."""
    target = _Pipe()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
            yield target.taken()
    yield target.taken()


class _Pipe(io.RawIOBase):
    """Takes what a zip is written as; it cannot be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        data, self._pieces = b"".join(self._pieces), []
        return data
