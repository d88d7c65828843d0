"""Every system call that changes the spool, and every look at it, one method each.

Knows nothing of units or sessions. `Disk` is a value that daemons are given, so a test can hand them one that dies
before the n-th call, tears a write, lies about a rename, or lets another process go first: it overrides `step`
(called before each system call with its name and path) or one of the calls.
A method that may meet somebody else's work says so by its result (False: not there, or there already) and lets
every other OSError through.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat as statmode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

_ABSENT = (errno.ENOENT, errno.ESTALE)
_PIECE = 1 << 20
_KINDS = {statmode.S_IFREG: "file", statmode.S_IFDIR: "folder", statmode.S_IFLNK: "link"}


class Disk:
    """The spool's file system, as `owner` (a name fit for a file) writes to it; `tmp` is on the same file system."""

    def __init__(self, tmp: Path, owner: str) -> None:
        self._tmp = tmp
        self._owner = owner
        self._numbers = count(1)

    def step(self, call: str, path: Path) -> None:
        """Do nothing: the place where a test stops, kills or interleaves."""

    # looks

    def names(self, folder: Path, hidden: bool = False) -> list[str]:
        """List a folder, sorted; dot-names (`.nfs…`, `.fuse_hidden…`) only if asked for; a missing folder is empty."""
        self.step("listdir", folder)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if hidden or not name.startswith("."))

    def read(self, path: Path) -> bytes | None:
        """Read a whole file; None if it is not there (any more). NFS: sizes by open, never by stat."""
        found = self.read_owned(path)
        return None if found is None else found[0]

    def read_owned(self, path: Path) -> tuple[bytes, int] | None:
        """Read a whole file, as `read` does, and say which user it belongs to."""
        self.step("read", path)
        try:
            with open(path, "rb") as file:
                return file.read(), os.fstat(file.fileno()).st_uid
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def stat(self, path: Path) -> os.stat_result | None:
        """Open and fstat a file or folder, without following a link.

        None if it is not there. NFS: stat alone may be seconds old.
        """
        self.step("stat", path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (*_ABSENT, errno.ELOOP, errno.ENXIO):
                return None
            raise
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def kind(self, path: Path) -> str | None:
        """Say what a name is, a link not followed: "file", "folder", "link" or "other"; None if it is not there."""
        status = self._lstat(path)
        return None if status is None else _KINDS.get(statmode.S_IFMT(status.st_mode), "other")

    def size(self, path: Path) -> int:
        """Return how long a file is that nobody writes to any more; 0 if it is not there, or is no file."""
        return status.st_size if (status := self._lstat(path)) and statmode.S_ISREG(status.st_mode) else 0

    def _lstat(self, path: Path) -> os.stat_result | None:
        self.step("lstat", path)
        try:
            return os.lstat(path)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    # changes

    def create(self, path: Path, data: bytes = b"", mode: int = 0o666) -> bool:
        """Create a file exclusively; False if the name is taken. It may offer a name, it never decides an owner."""
        self.step("create", path)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            return False
        try:
            self._write(descriptor, data)
        except OSError:
            with suppress(OSError):
                os.unlink(path)  # half of it, or a taken name that says nothing, would be worse than none
            raise
        finally:
            os.close(descriptor)
        return True

    def move(self, source: Path, target: Path) -> bool:
        """Rename.

        True if the name now stands at the target, whatever the call reported; False if it was not ours to move.

        NFS: a rename can report a failure after it happened, so after any error the target's folder is listed.
        """
        try:
            self._rename(source, target)
        except OSError as error:
            if target.name in self.names(target.parent, hidden=True):
                return not self._stands(source)
            if error.errno in _ABSENT or error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        return True

    def _stands(self, path: Path) -> bool:
        return path.name in self.names(path.parent, hidden=True)

    def temporary(self) -> Path:
        """Make up a name on the same file system, which nobody else uses."""
        return self._tmp / f"{self._owner}.{next(self._numbers)}"

    def publish(self, path: Path, data: bytes, durable: bool = False, mode: int = 0o666) -> None:
        """Write a file under a temporary name, then rename it: nobody ever sees half of it.

        `durable` adds an fsync of the file and of its folder; `mode` as far as the process's umask allows. Errors of
        write and close leave nothing behind but a temporary name.
        """
        self.publish_made(path, lambda temporary: self._fill(temporary, data, mode), durable)

    def publish_made(self, path: Path, make: Callable[[Path], None], durable: bool = True) -> None:
        """Let a file be made under a temporary name, then rename it. `make` is given the name, and may raise."""
        temporary = self.temporary()
        try:
            make(temporary)
            if durable:
                self.sync(temporary)
            self._rename(temporary, path)
        except (Exception, KeyboardInterrupt):
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            self.sync(path.parent)

    def publish_copy(self, source: Path, folder: Path, most: int) -> tuple[str, int] | None:
        """Copy a file durably into a folder under its SHA-256; return that and the size, None beyond `most` bytes.

        Where the name stands already, nothing is written. Follows no link.
        """
        found = self._copy(source, None, most)
        if found is None:
            return None
        if self.kind(folder / found[0]) == "file":
            self.sync(folder)  # another's, and perhaps not durable yet
            return found
        temporary = self.temporary()
        try:
            found = self._copy(source, temporary, most)  # it may have changed since: what is copied now counts
            if found is not None:
                self._rename(temporary, folder / found[0])
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if found is None:
            self.unlink(temporary)
        else:
            self.sync(folder)
        return found

    def _copy(self, source: Path, target: Path | None, most: int) -> tuple[str, int] | None:
        """Read a file, and write it if there is a target; return its SHA-256 and size, None beyond `most` bytes."""
        digest, size = hashlib.sha256(), 0
        with ExitStack() as opened:
            reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            opened.callback(os.close, reader)
            if target is not None:
                self.step("create", target)
                writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
                opened.callback(os.close, writer)
            while piece := os.read(reader, _PIECE):
                digest.update(piece)
                size += len(piece)
                if size > most:
                    return None
                if target is not None:
                    self.step("write", target)
                    self._write(writer, piece)
            if target is not None:
                self.step("fsync", target)
                os.fsync(writer)
        return digest.hexdigest(), size

    def _fill(self, path: Path, data: bytes, mode: int) -> None:
        self.step("create", path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            self.step("write", path)
            self._write(descriptor, data)
        finally:
            os.close(descriptor)  # NFS: a write may fail as late as here

    @staticmethod
    def _write(descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def _rename(self, source: Path, target: Path) -> None:
        self.step("rename", target)
        os.rename(source, target)

    def link(self, source: Path, target: Path) -> bool:
        """Give a file a second name, a link not followed; False if that name is another's, who was first."""
        self.step("link", target)
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:  # NFS: a link can report this after it happened
            return os.path.samestat(os.lstat(source), os.lstat(target))
        return True

    def unlink(self, path: Path) -> bool:
        """Remove a name; False if it was gone."""
        self.step("unlink", path)
        try:
            os.unlink(path)
        except OSError as error:
            if error.errno in _ABSENT:
                return False
            raise
        return True

    def make_folder(self, path: Path, mode: int = 0o777) -> bool:
        """Make a folder; False if it was there. `mode` as far as the process's umask allows."""
        self.step("mkdir", path)
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            return False
        return True

    def remove_folder(self, path: Path) -> bool:
        """Remove an empty folder; False if it is gone or holds something (a name that came in meanwhile is safe)."""
        self.step("rmdir", path)
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno in (*_ABSENT, errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        return True

    def remove_tree(self, path: Path) -> None:
        """Remove a folder with all that it holds; nothing happens if it is gone. Never follows a link."""
        self.step("rmtree", path)
        shutil.rmtree(path, ignore_errors=True)

    def sync(self, path: Path) -> None:
        """Make a file's bytes, or a folder's names, survive a power cut."""
        self.step("fsync", path)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def refresh(self, folder: Path) -> None:
        """Make and remove a dot-name in a folder. NFS: a stale listing is seen again only after a change."""
        name = folder / f".{self._owner}"
        with suppress(FileNotFoundError, FileExistsError):
            self.make_folder(name)
            self.remove_folder(name)


def files_below(folder: Path) -> Iterator[Path]:
    """Walk a submission's folder without following links; yields every path in it that is not a folder."""
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)
        yield from (Path(parent) / name for name in folders if (Path(parent) / name).is_symlink())
