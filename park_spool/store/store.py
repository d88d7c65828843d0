"""A folder of files by their SHA-256, and what each href held: the data centre's store, and each node's cache.

    begin(href) ─▶ Partial ─▶ adopt: fsync, verify ─▶ versions/ab/KEY.SEQ ─rename─▶ blobs/ab/DIGEST

Guarantees: a blob is seen only whole and verified, and never changes; a version is seen with its blob. Reading takes
no lock. What the disk refuses is a TemporaryError or PermanentError that names the store; old blobs are still
served then.
Assumes: who fetches an href does so under `single(href)`; a process that forks makes a Store of its own afterwards.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from park_spool import processes
from park_spool.atomic import Disk
from park_spool.errors import DataError, PermanentError, TemporaryError
from park_spool.filesystem import require_one_file_system
from park_spool.naming import new_node
from park_spool.store import naming, taking, trouble, versions
from park_spool.store.facts import Facts
from park_spool.store.hashed import HashedFile
from park_spool.store.partial import Partial
from park_spool.store.versions import Version

USED_SECONDS = 60.0  # a use is written down when the last one is so long ago
POLL_SECONDS = 0.1


class Store:
    """The store at `root`, as this process sees it; `wall` is in Unix seconds, `disk` what writes to it."""

    def __init__(
        self,
        root: Path,
        wall: Callable[[], float] = time.time,
        disk: Callable[[Path, str], Disk] = Disk,
        choose: Callable[[str], str] = secrets.choice,
        boot: str | None = None,
    ) -> None:
        self.root, self.wall, self.choose = root, wall, choose
        self.places = naming.Places(root)
        # Its own name for each process of each host, so that none writes what another has under a temporary name.
        self.disk = disk(self.places.tmp, new_node(socket.gethostname(), os.getpid(), choose))
        self._boot = processes.identity().boot if boot is None else boot

    def make(self) -> Store:
        """Make the folders that are missing. Raises SpoolError where they are not on one file system."""
        with self.told("make its folders"):
            for folder in (*reversed(self.root.parents), self.root, *(self.root / name for name in naming.FOLDERS)):
                if self.disk.kind(folder) is None:
                    self.disk.make_folder(folder)
            require_one_file_system(self.root, naming.FOLDERS, "a store")
        return self

    # looks

    def blob(self, digest: str) -> Path | None:
        """Return the path of a blob, and say that it is used; None if it is not there. DataError: that is no digest.

        It may be evicted before it is opened, unless something holds it.
        """
        with self.told("look for a blob"):
            status = self._standing(digest)
            return None if status is None else self._used(self.places.blob(digest), status)

    def has(self, digest: str) -> bool:
        """Say whether a blob is there; that is no use of it."""
        with self.told("look for a blob"):
            return self._standing(digest) is not None

    def newest(self, href: str) -> Version | None:
        """Return the newest version of an href; None if there is none, or its blob is gone: then it must be fetched."""
        with self.told("look for a version"):
            found = versions.newest(self.disk, self.places, href)
            return found if found is not None and self._standing(found.digest) is not None else None

    def versions(self, href: str) -> list[Version]:
        """Return all versions of an href that were ever here, the oldest first, their blobs here or not."""
        with self.told("look for versions"):
            return versions.of(self.disk, self.places, href)

    def hrefs(self) -> list[str]:
        with self.told("list its versions"):
            return sorted({version.href for version in versions.every(self.disk, self.places)})

    # changes

    @contextmanager
    def single(self, href: str, seconds: float = -1.0) -> Iterator[None]:
        """Let one process at a time fetch an href: who comes second looks for it once more when it gets here.

        Waits for `seconds`, for ever if negative. Raises TemporaryError if another one is at it for longer.
        """
        with self.single_key(naming.key_of(href), seconds):
            yield

    @contextmanager
    def single_key(self, key: str, seconds: float = -1.0) -> Iterator[None]:
        """Do as `single` does, for who knows only the key."""
        path = self.places.lock(key)
        lock = FileLock(path, timeout=seconds, poll_interval=POLL_SECONDS, fallback_to_soft=False)
        with self.told("lock"):
            try:
                lock.acquire()
            except Timeout as error:
                raise TemporaryError(
                    f"another process still fetches that file; its lock is {path}. Try again"
                ) from error
            except NotImplementedError as error:
                raise PermanentError(f"the store {self.root} is on a file system without locks: {error}") from error
        try:
            yield
        finally:
            lock.release()

    def begin(self, href: str) -> Partial:
        """Open what is there of an href that is being fetched; without facts, it is begun anew by `restart`."""
        key = naming.key_of(href)
        path = self.places.partial / key
        partial = Partial(self.disk, path, path.with_name(key + naming.FACTS), self.root, self._boot)
        with self.told("read what came earlier"):
            partial.resume()
        return partial

    def adopt(self, partial: Partial, href: str, facts: Facts, digest: str | None = None) -> Version:
        """Take in what was fetched as the newest version of an href.

        Raises DataError where it is not what the stated digest says; then it is gone. TemporaryError where bytes are
        missing, or the disk is full: then what came is still there.
        """
        if facts.size is not None and partial.size < facts.size:
            raise TemporaryError(
                f"{href}: {partial.size} of {facts.size} bytes came; they are kept, and the next try goes on from there"
            )
        with self.told("take in a file"):
            version = self._settle(partial, href, facts, digest)
            partial.forget()
            return version

    def put(self, stream: Iterable[bytes], digest: str | None = None) -> tuple[str, int]:
        """Take in bytes as a blob of no href; return its SHA-256 and size. DataError if another digest is stated."""
        with self._temporary() as file:
            for piece in stream:
                file.write(piece)
            with self.told("take in a file"):
                found = self._verified(file, "what was sent", None, digest)
                self._shelve(file, found)
        return found, file.size

    def take(self, path: Path, href: str, facts: Facts, digest: str | None = None) -> Version:
        """Take in a local file, which stays where it is, as the newest version of an href; uncopied where it can be.

        Raises DataError where it is no regular file or not what the digest says, TemporaryError if it changes then.
        """
        with self._temporary() as file, self.told(f"take in {path}"):
            taking.bring(self.disk, path, file)
            return self._settle(file, href, facts, digest)

    def told(self, what: str) -> AbstractContextManager[None]:
        """Let an OSError inside become an error that says which store could not do what."""
        return trouble.told(self.root, what)

    def _standing(self, digest: str) -> os.stat_result | None:
        path = self.places.blob(digest)
        status = self.disk.stat(path)
        if status is None and digest in self.disk.names(path.parent):
            status = self.disk.stat(path)  # NFS: that a name was not there is believed for seconds; a list is not
        return status if status is not None and stat.S_ISREG(status.st_mode) else None

    def _used(self, path: Path, status: os.stat_result) -> Path:
        """Write down that a blob is used; not for one with a second name, whose times are somebody else's as well."""
        now = self.wall()
        if abs(now - status.st_mtime) >= USED_SECONDS and status.st_nlink == 1:
            with suppress(OSError):  # a full or read-only disk, another user's store: it is read all the same
                self.disk.step("utime", path)
                os.utime(path, (now, now))
        return path

    @contextmanager
    def _temporary(self) -> Iterator[HashedFile]:
        file = HashedFile(self.disk, self.disk.temporary(), self.root)
        try:
            yield file
        except (Exception, KeyboardInterrupt):
            with suppress(OSError):
                file.discard()
            raise

    def _settle(self, file: HashedFile, href: str, facts: Facts, stated: str | None) -> Version:
        """Verify a file, write down what it is, and give it its place.

        CRASH: a version without its blob is not seen; the next try finds the whole file where it was.
        """
        found = self._verified(file, href, facts.size, stated)
        version = Version(href, found, file.size, facts.etag, facts.modified, self.wall())
        recorded = versions.record(self.disk, self.places, version)
        self._shelve(file, found)
        return recorded

    def _verified(self, file: HashedFile, name: str, size: int | None, stated: str | None) -> str:
        if stated is not None:
            naming.checked_digest(stated)
        if size is not None and file.size != size:
            got = file.size
            file.discard()
            raise TemporaryError(f"{name}: expected {size} bytes, got {got}; they were thrown away. Try again")
        found = file.finish()
        if stated is not None and stated != found:
            file.discard()
            raise DataError(f"{name}: expected the SHA-256 {stated}, got {found}; what came was thrown away")
        return found

    def _shelve(self, file: HashedFile, digest: str) -> None:
        target = self.places.blob(digest)
        status = self._standing(digest)
        if status is not None and status.st_size == file.size:
            self.disk.unlink(file.path)
            self._used(target, status)
        else:
            if self.disk.make_folder(target.parent):
                self.disk.sync(self.places.blobs)
            # At this instant it is in the store.
            if not self.disk.move(file.path, target):
                raise PermanentError(f"{target} is in the way of a file of that digest, and is none; remove it")
            if (status := self.disk.stat(target)) is not None:
                self._used(target, status)
        self.disk.sync(target.parent)  # also for another's, which is perhaps not durable yet
