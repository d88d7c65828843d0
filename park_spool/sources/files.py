"""A source that is a folder of this machine: file:///FOLDER.

Guarantees: what is read is a regular file really below the root, links followed. RACE: a link may be put in between
the look and the open, so the path that was looked at is opened part by part, and no part may be a link then.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from park_spool.errors import DataError, TemporaryError, is_temporary
from park_spool.sources.expanding import expand
from park_spool.sources.paths import clean
from park_spool.sources.settings import SourceSettings, root_path
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.store.facts import Facts

# O_NONBLOCK: to open a pipe would wait for who writes to it. O_PATH: a folder need not be readable to be passed.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FileSource:
    def __init__(self, settings: SourceSettings) -> None:
        self.name = settings.name
        self._root = Path(root_path(settings.root) or "/")

    def facts(self, path: str) -> Facts:
        with self._opened(path) as file:
            return _facts(file)

    @contextmanager
    def open(self, path: str, offset: int, facts: Facts) -> Iterator[Iterator[bytes]]:
        with self._opened(path) as file:
            if facts.is_same(_facts(file)) is False:
                raise self._changed(path)
            file.seek(offset)
            yield self._chunks(path, file, facts)

    def local(self, path: str) -> Path:
        """Return where a file is on this machine. Raises as `facts` does."""
        self.facts(path)
        return self._inside(clean(path))

    def names(self, pattern: str) -> list[str]:
        return expand(pattern, self._listing)

    def _chunks(self, path: str, file: BinaryIO, facts: Facts) -> Iterator[bytes]:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except OSError as error:
            raise self._sentence(path, error) from error
        if facts.is_same(_facts(file)) is False:
            raise self._changed(path)

    def _changed(self, path: str) -> Changed:
        return Changed(f"{self.name}:{path} changed while it was read")

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        where = self._inside(clean(path))
        try:
            descriptor = _open_without_links(where)
        except OSError as error:
            raise self._sentence(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotThere(f"{self.name}:{path} is no file")
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            yield file

    def _inside(self, path: str) -> Path:
        """Return where a path really is; DataError if that is not below the root."""
        root = self._real_root()
        try:
            found = (root / path[1:]).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, until Python 3.12
            raise NotThere(f"{self.name}:{path} cannot be followed: its links go in a circle") from error
        if not found.is_relative_to(root):
            raise DataError(f"{self.name}:{path} is a link that leaves the source")
        return found

    def _real_root(self) -> Path:
        try:
            return self._root.resolve(strict=True)
        except OSError as error:
            raise TemporaryError(f"{self.name}: its folder {self._root} is not there: {error.strerror}") from error

    def _listing(self, folder: str) -> list[tuple[str, bool]]:
        try:
            with os.scandir(self._inside(clean(folder)) if folder else self._real_root()) as entries:
                return [(entry.name, entry.is_dir()) for entry in entries if self._is_listed(folder, entry)]
        except OSError as error:
            raise self._sentence(folder or "/", error) from error

    def _is_listed(self, folder: str, entry: os.DirEntry[str]) -> bool:
        if entry.is_symlink():
            try:
                self._inside(f"{folder}/{entry.name}")
            except DataError:
                return False
        return entry.is_dir() or entry.is_file()

    def _sentence(self, path: str, error: OSError) -> Exception:
        words = f"{self.name}:{path}"
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return NotThere(f"{words} is not there")
        if isinstance(error, PermissionError):
            return Refused(f"{words} may not be read: the rights of the file or of a folder above it do not allow it")
        if is_temporary(error.errno):
            return TemporaryError(f"{words} cannot be read now: {error.strerror}")
        if error.errno == errno.ELOOP:
            return TemporaryError(f"{words} became a link while it was opened")
        return DataError(f"{words} cannot be read: {error.strerror}")


def _facts(file: BinaryIO) -> Facts:
    found = os.fstat(file.fileno())
    return Facts(found.st_size, modified=found.st_mtime)


def _open_without_links(path: Path) -> int:
    """Open a file; OSError (ELOOP, ENOTDIR) if any part of its path is a link."""
    folder = os.open("/", _FOLDER)
    try:
        for part in path.parts[1:-1]:
            below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(path.parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
