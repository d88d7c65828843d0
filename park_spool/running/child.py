"""The node's end of one warm child: its process, its pipes, its results file, and its death.

    commands ──▶ child (park_spool.running.worker) ──▶ messages, results (an unlinked file of its own)

Guarantees: every child has its own pipes and file, so that one that is still dying cannot speak for the next;
it is buried with everything that it started before its number is free for another process.
Assumes: Linux: a child's death wakes the slot by its pidfd.  No other call here waits for the child.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from park_spool.processes import kill_family, kill_marked
from park_spool.running.assignment import Assignment, child_scratch
from park_spool.running.job_folders import remove
from park_spool.running.usage import children, usage_of

Process = subprocess.Popen[bytes]

MARK = "_PARK_WORKER"  # in the environment of all that a child starts: one name for each child
_MOST_CHILDREN = 100  # zombies of daemons included: only their worker's end frees their numbers
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: numerical libraries get one thread, unless the site says otherwise.

    >>> child_environment({"OMP_NUM_THREADS": "4"})["OMP_NUM_THREADS"]
    '4'
    """
    return dict.fromkeys(_THREADS, "1") | dict(environment)


def _pipe(undo: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return ends


def _start_worker(ends: tuple[int, int, int], log: BinaryIO, environment: Mapping[str, str], mark: str) -> Process:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "park_spool.running.worker", *(str(end) for end in ends)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=ends,
        env={**environment, MARK: mark},
        start_new_session=True,
    )


class Child:
    """One process that runs jobs; `status` is its returncode once it is buried."""

    def __init__(self, log: BinaryIO, folder: Path, environment: Mapping[str, str]) -> None:
        self._mark = f"{os.getpid()}.{time.monotonic_ns()}"
        with ExitStack() as undo:  # whatever cannot be made, nothing stays open
            self.results = undo.enter_context(tempfile.TemporaryFile("w+b", buffering=0, dir=folder))
            for_child, self._commands = _pipe(undo)
            self.messages, from_child = _pipe(undo)
            os.set_blocking(self._commands, False)
            os.set_blocking(self.messages, False)
            self._process = _start_worker((for_child, from_child, self.results.fileno()), log, environment, self._mark)
            undo.pop_all()
        os.close(for_child)
        os.close(from_child)
        self.pid = self._process.pid
        self.death = os.pidfd_open(self.pid)
        self.is_fresh = True
        self._fresh_memory = 0
        self.jobs_done = 0
        self._unread = b""
        self._scratch: Path | None = None

    def send(self, assignment: Assignment) -> bool:
        """Hand over an assignment; False where the child does not take it, being dead or as good as dead."""
        line = assignment.to_line()
        self._scratch = child_scratch(assignment, self.pid)
        os.ftruncate(self.results.fileno(), 0)
        os.lseek(self.results.fileno(), 0, os.SEEK_SET)
        try:
            return os.write(self._commands, line) == len(line)
        except (BrokenPipeError, BlockingIOError):
            return False

    def heard(self) -> list[str]:
        """Return the messages that have come since the last look."""
        try:
            self._unread += os.read(self.messages, 65536)
        except BlockingIOError:
            return []
        *lines, self._unread = self._unread.split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def written(self) -> tuple[int, float]:
        """Return the size of the results so far, in bytes, and the wall-clock time of the last one."""
        status = os.fstat(self.results.fileno())
        return status.st_size, status.st_mtime

    def lines(self) -> list[bytes]:
        """Return the complete lines of the results so far, without their line feeds."""
        return os.pread(self.results.fileno(), self.written()[0], 0).split(b"\n")[:-1]

    def note_loaded(self) -> None:
        """Take its size when it has loaded its first service: from here on it grows."""
        if self.is_fresh:
            self.is_fresh, self._fresh_memory = False, usage_of([self.pid]).memory

    def is_worn(self, most_jobs: int, most_growth: int) -> bool:
        """Say whether another should take its place: old, grown, or with too many processes that it left behind."""
        has_grown = usage_of([self.pid]).memory - self._fresh_memory > most_growth
        return self.jobs_done >= most_jobs or has_grown or len(children(self.pid)) > _MOST_CHILDREN

    def has_ended(self) -> bool:
        """Say whether the process has ended; it stays a zombie, and keeps its number, until it is buried."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self) -> None:
        """Kill it and all that it started; that it has ended is seen later."""
        kill_family(self.pid)

    def bury(self) -> int:
        """Reap an ended process, with all that it left behind, and return its returncode."""
        kill_family(self.pid)
        kill_marked(MARK, self._mark)  # who left the family is known by what it was born with
        status = self._process.wait()
        for end in (self._commands, self.messages, self.death):
            os.close(end)
        self.results.close()
        if self._scratch is not None:
            remove(self._scratch)
        return status
