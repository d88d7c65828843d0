"""One file of a source to a place of the user's: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from park_spool.errors import DataError
from park_spool.sources.fetching import fetch
from park_spool.sources.source import Source
from park_spool.store.facts import Facts

TRIES = 60  # a data centre that has just begun to bring a file is asked again


class _Part:
    """What is there so far of one download."""

    def __init__(self, file: BinaryIO) -> None:
        self.facts: Facts | None = None
        self._file = file

    @property
    def size(self) -> int:
        return self._file.tell()

    def restart(self, facts: Facts) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.facts = facts

    def write(self, data: bytes) -> None:
        self._file.write(data)


def download(source: Source, path: str, target: Path, pause: Callable[[float], None]) -> int:
    """Bring a file whose ETag is its digest, and return its size in bytes.

    Raises DataError if it is not what the digest says; then nothing is at `target`.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w+b") as file:
            facts = fetch(source, path, _Part(file), tries=TRIES, pause=pause, said=lambda words: None)
            size = file.tell()
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != facts.etag.strip('"'):
            raise DataError(f"{source.name}:{path} came with the SHA-256 {found}, expected {facts.etag}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size
