"""Limits that the kernel keeps: set on a program that was just started, or lowered and raised again on oneself.

Guarantees: nothing is set before a program's start, so that it can be started by vfork; a program that has ended
meanwhile is no error.
Assumes: a job's memory is watched over as a whole elsewhere; RLIMIT_DATA only stops one process's great leap.
"""

from __future__ import annotations

import math
import os
import resource
from contextlib import suppress
from pathlib import Path

from park_spool.limits import Limits


def limit_program(pid: int, limits: Limits) -> None:
    """Set limits on a process that leads its own group, and the nice level of the group."""
    if limits.cpu is None and not (limits.memory or limits.open_files or limits.nice):
        return  # nearly always: a program without limits must not pay for them
    # Between the kernel's SIGXCPU and its SIGKILL there is time for a look that finds words for it.
    cpu = None if limits.cpu is None else (math.ceil(limits.cpu), math.ceil(limits.cpu + limits.grace) + 2)
    wanted = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_DATA: limits.memory and (limits.memory, limits.memory),
        resource.RLIMIT_NOFILE: limits.open_files and (limits.open_files, limits.open_files),
    }
    for kind, pair in wanted.items():
        if pair:
            with suppress(OSError, ValueError):  # ValueError: the node itself may have less
                resource.prlimit(pid, kind, pair)
    if limits.nice > own_nice():
        with suppress(OSError):
            os.setpriority(os.PRIO_PGRP, pid, limits.nice)


def own_nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


class OwnLimits:
    """The limits of this very process, which has them for one assignment and another's for the next."""

    def __init__(self) -> None:
        self._usual = {kind: resource.getrlimit(kind) for kind in _KINDS}
        self._nice = own_nice()

    def lower(self, limits: Limits) -> None:
        """Take on a job's limits; the hard ones stay, since they can never be raised again."""
        for kind, wanted in ((resource.RLIMIT_DATA, limits.memory), (resource.RLIMIT_NOFILE, limits.open_files)):
            if wanted is not None:
                _set_soft(kind, wanted)
        nice = max(limits.nice, self._nice)
        if nice > own_nice():
            os.setpriority(os.PRIO_PROCESS, 0, nice)

    def raise_again(self) -> None:
        """Take the usual limits back."""
        for kind, (soft, _) in self._usual.items():
            _set_soft(kind, soft)

    def is_too_nice(self, limits: Limits) -> bool:
        """Say whether this process is nicer than it should be for a job: there is no way back."""
        return own_nice() > max(limits.nice, self._nice)

    def are_spoilt(self) -> bool:
        """Say whether a job has lowered a limit for good, or has left no descriptor free; ask after `raise_again`."""
        return any(resource.getrlimit(kind) != usual for kind, usual in self._usual.items()) or not _can_open()


_KINDS = tuple(
    getattr(resource, f"RLIMIT_{name}")
    for name in ("DATA", "NOFILE", "AS", "FSIZE", "NPROC", "CPU", "STACK")
    if hasattr(resource, f"RLIMIT_{name}")
)


def _set_soft(kind: int, wanted: int) -> None:
    soft, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or wanted > hard):
        wanted = hard  # a job has lowered it for good
    if wanted != soft:
        resource.setrlimit(kind, (wanted, hard))


def _can_open() -> bool:
    try:
        os.close(os.open("/", os.O_RDONLY))
    except OSError:
        return False
    return True


def open_descriptors() -> int:
    """Return how many descriptors this process has open; 0 where the system does not tell."""
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:
        return 0
