"""What a job leaves in `$PARK_OUTPUT`: a folder that is new for each job, and what is kept of it on the spool.

    $PARK_OUTPUT/plots/fit.png ──copy, fsync──▶ tmp/OWNER.n ──rename──▶ files/SID/SHA256, and a word in the result

Guarantees: a file stands whole and durable under its digest before a result names it; over the limit, nothing is
kept.  Only regular files count, links are not followed.
Assumes: the folder is on the node's local disk, the kept files on the spool.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.limits import Limits, size_words
from park_spool.running.assignment import Assignment, Files, Outcome, plain_text
from park_spool.running.descriptors import out_of_reach
from park_spool.running.job_folders import emptied, renewed

MOST_FILES = 1000
_UNTOUCHED = (0, 0)  # ns: the times of a folder that nobody has put anything into


class TooMuch(Exception):
    """A job left more than is kept."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where files are kept: a folder of the spool, and the disk that it is on."""

    folder: Path
    disk: Disk

    def keep(self, source: Path, most: int) -> tuple[str, int]:
        """Copy a file to its place and return its digest and size; TooMuch beyond `most` bytes."""
        if self.disk.make_folder(self.folder):
            self.disk.sync(self.folder.parent)
        # At this instant the file is kept.
        kept = self.disk.publish_copy(source, self.folder, most)
        if kept is None:
            raise TooMuch
        return kept


class OutputFolder:
    """The folder of one job after the other."""

    def __init__(self, folder: Path, shelf: Shelf, limit: int) -> None:
        self._shelf, self._limit = shelf, limit
        self._open(emptied(folder))

    @classmethod
    def of(cls, assignment: Assignment, scratch: Path, limits: Limits) -> OutputFolder | None:
        """Make the first one for an assignment; None where nothing is kept."""
        if assignment.kept is None or assignment.tmp is None:
            os.environ.pop("PARK_OUTPUT", None)
            return None
        # Its own name for each worker: one that was killed may still hang in a rename.
        disk = Disk(assignment.tmp, f"{assignment.owner}.{os.getpid()}")
        return cls(scratch / "output", Shelf(assignment.kept, disk), limits.kept)

    def _open(self, folder: Path) -> None:
        self._folder = folder
        # A folder's time changes with the first name in it: one cheap look at it tells whether a job left anything.
        os.utime(folder, ns=_UNTOUCHED)
        os.environ["PARK_OUTPUT"] = str(folder)
        self._descriptor = _opened(folder)
        self._status = folder.lstat()

    def is_used(self) -> bool:
        """Say whether anything has come into the folder, or has been done to it."""
        try:
            status = os.fstat(self._descriptor)
        except OSError:  # a job has closed it
            return True
        return status.st_mtime_ns != 0 or status.st_nlink == 0 or status.st_ctime_ns != self._status.st_ctime_ns

    def keep(self, outcome: Outcome) -> Outcome:
        """Keep what the job left, empty the folder, and say so in the outcome; a failure in words where it fails."""
        try:
            return replace(outcome, files=self._keep() or None)
        except TooMuch as error:
            return _failed(outcome, str(error))
        except OSError as error:
            return _failed(outcome, f"what it left in $PARK_OUTPUT cannot be kept: {error.strerror}")
        finally:
            self.close()
            self._open(renewed(self._folder))

    def close(self) -> None:
        """Let go of the folder."""
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._descriptor), self._status):  # else the number is a job's by now
                os.close(self._descriptor)

    def _keep(self) -> Files:
        found = list(_regular_files(self._folder))
        self._check(sum(path.lstat().st_size for path in found), len(found))
        files: Files = {}
        left = self._limit
        for path in found:
            try:
                digest, size = self._shelf.keep(path, left)
            except TooMuch:  # something still writes into it
                self._check(self._limit + 1, len(found))
                raise
            left -= size
            files[plain_text(str(path.relative_to(self._folder)))] = {"sha256": digest, "size": size}
        return files

    def _check(self, size: int, count: int) -> None:
        if size > self._limit:
            left, limit = size_words(size), size_words(self._limit)
            raise TooMuch(f"left {left} in $PARK_OUTPUT, more than its limit of {limit}: nothing was kept")
        if count > MOST_FILES:
            raise TooMuch(f"left {count} files in $PARK_OUTPUT, at most {MOST_FILES} are kept: nothing was kept")


def _opened(folder: Path) -> int:
    """Open a folder under a number that careless jobs do not close; -1 where that cannot be."""
    try:
        low = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return -1
    try:
        [high] = out_of_reach(low)
    except (OSError, ValueError):  # ValueError: a job has lowered the hard limit
        return low
    os.close(low)
    return high


def _regular_files(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        return
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for path in (Path(parent) / name for name in sorted(names)):
            with suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def _failed(outcome: Outcome, why: str) -> Outcome:
    """Let a job fail for what became of its files; what else went wrong stays in front."""
    status = "failed" if outcome.status == "ok" else outcome.status
    return replace(outcome, status=status, why=f"{outcome.why}; {why}" if outcome.why else why)
