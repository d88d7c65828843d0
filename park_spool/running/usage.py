"""What a process and all that it has started use at this moment: memory, processor time, and how many they are.

Guarantees: nothing raises; who ends while it is looked at counts for nothing.  The processor time of children
that were waited for is in their parent's.
Assumes: Linux.  Without /proc everything is 0, and limits that need it are not watched over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from park_spool.processes import PROC, family, read_stat

_STATE, _CPU, _PAGES = 0, slice(11, 15), 21  # of /proc/PID/stat, counted from the state: man 5 proc
_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory in bytes, processor time in seconds, and the number of processes that live."""

    memory: int = 0
    cpu: float = 0.0
    count: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.memory + other.memory, self.cpu + other.cpu, self.count + other.count)


def usage_of(pids: Iterable[int], proc: Path = PROC) -> Usage:
    """Add up what some processes use; what they share counts once for each."""
    total = Usage()
    for pid in pids:
        if stat := read_stat(proc, pid):
            ticks = sum(int(word) for word in stat[_CPU])
            total += Usage(int(stat[_PAGES]) * _PAGE, ticks * _TICK, stat[_STATE] not in "ZX")
    return total


def exact_memory(pids: Iterable[int], proc: Path = PROC) -> int | None:
    """Add up the memory of some processes, what they share counted once (forks share nearly all); None if untold.

    This costs the kernel a walk through all their pages: ask only when `usage_of` says too much.
    """
    shares = [_share(proc / str(pid) / "smaps_rollup") for pid in pids]
    known = [share for share in shares if share is not None]
    return sum(known) if known else None


def _share(path: Path) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def descendants(leader: int, proc: Path = PROC) -> list[int]:
    """List what a process has started and what that has started, itself left out; sessions do not matter."""
    if not (proc / "self/task" / str(os.getpid()) / "children").exists():
        return family(leader, proc)  # a kernel without that list: all processes of the machine are looked at
    found, unseen = [], children(leader, proc)
    while unseen:
        pid = unseen.pop()
        found.append(pid)
        unseen += children(pid, proc)
    return sorted(found)


def children(pid: int, proc: Path = PROC) -> list[int]:
    """List the processes that a process has started or taken over, dead ones that nobody waited for included."""
    found: list[int] = []
    try:
        for task in (proc / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    except OSError:  # it has just ended
        return found
    return found
