"""A file that is written from front to back, and hashed as it goes.

Guarantees: `finish` returns the SHA-256 of what stands in the file, durable and read-only, or raises; every byte that
`size` counts is in the file.
Assumes: one writer. A second one is found out by `finish`: it writes in other places, or into another file.
NFS: written by place, never appended, so that a late write of a writer that is thought dead changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.errors import TemporaryError
from park_spool.store import trouble

PIECE = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h


class HashedFile:
    """`size` bytes at `path`; `root` is the store's, for messages."""

    def __init__(self, disk: Disk, path: Path, root: Path) -> None:
        self.path = path
        self.size = 0
        self._disk, self._root = disk, root
        self._hash = hashlib.sha256()
        self._descriptor = -1

    def write(self, data: bytes) -> None:
        """Put bytes behind those that are there; what is counted before an error is there, and stays."""
        with trouble.told(self._root, "take in data"):
            self._open()
            view = memoryview(data)
            while view:
                self._disk.step("write", self.path)
                count = os.pwrite(self._descriptor, view, self.size)
                self._hash.update(view[:count])
                self.size += count
                view = view[count:]

    def resume(self) -> None:
        """Count in what stands in the file; nothing where it is no regular file."""
        if self._disk.kind(self.path) != "file":
            return
        self._disk.step("read", self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            while piece := os.read(reader, PIECE):
                self._hash.update(piece)
                self.size += len(piece)
        finally:
            os.close(reader)

    def clone(self, source: int) -> bool:
        """Share the blocks of an open file, where the file system can; the bytes are not counted in yet."""
        with trouble.told(self._root, "take in data"):
            self._open()
        self._disk.step("write", self.path)
        try:
            fcntl.ioctl(self._descriptor, _FICLONE, source)
        except OSError:  # not here, or not with a file from there; what else is wrong, a copy will tell
            return False
        return True

    def finish(self) -> str:
        """Make the file durable and read-only; return its SHA-256. Raises TemporaryError if another one wrote too."""
        self._open(os.O_RDONLY if self.size else os.O_WRONLY)
        status = os.fstat(self._descriptor)
        if status.st_mode & 0o777 != 0o444:
            self._disk.step("chmod", self.path)
            os.fchmod(self._descriptor, 0o444)
        self.close()  # NFS: a write may fail as late as here
        found = self._disk.stat(self.path)
        if found is None or not os.path.samestat(found, status) or found.st_size != self.size:
            expected = self.size
            self.discard()
            raise TemporaryError(
                f"{self.path}: expected {expected} bytes of this process alone, "
                f"found {'none' if found is None else found.st_size}: another one writes there; nothing was kept"
            )
        self._disk.sync(self.path)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file; its bytes stay."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor != -1:
            os.close(descriptor)

    def discard(self) -> None:
        """Remove the file, whatever stands there, and begin at nothing."""
        with suppress(OSError):
            self.close()
        self.size, self._hash = 0, hashlib.sha256()
        if self._disk.kind(self.path) == "folder":
            self._disk.remove_tree(self.path)
        else:
            self._disk.unlink(self.path)

    def _open(self, access: int = os.O_WRONLY) -> None:
        if self._descriptor != -1:
            return
        if self.size:
            if access == os.O_WRONLY:
                self._make_writable()
            self._descriptor = os.open(self.path, access | os.O_NOFOLLOW)
            return
        self.discard()
        self._disk.step("create", self.path)
        self._descriptor = os.open(self.path, access | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)

    def _make_writable(self) -> None:
        """CRASH: one that was finished and not moved is read-only."""
        mode = stat.S_IMODE(self.path.lstat().st_mode)
        if not mode & stat.S_IWUSR:
            self._disk.step("chmod", self.path)
            self.path.chmod(0o644)
