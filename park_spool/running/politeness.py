"""What a node owes to the people whose machine it runs on: when it may work, with how much, and what to tell them.

Pure: host.py measures, courtesy.py keeps the clock, this decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CALM_SECONDS = 60.0  # others must be that quiet for so long before the node works
UNTOUCHED_SECONDS = 300.0  # nobody may have typed for so long
PATIENCE = 6  # times `drain_seconds`: what runs may run on for so long once the machine is wanted back

_HOURS = re.compile(r"(\d{1,2})(?::([0-5]\d))?-(\d{1,2})(?::([0-5]\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manners:
    """What the person who starts a node asks of it; `memory` in bytes for all its jobs, `hours` in minutes."""

    memory: int | None = None
    hours: tuple[int, int] | None = None
    when_idle: bool = False
    nice: int = 10


def read_hours(text: str) -> tuple[int, int]:
    """Read hours of the day as (first minute, minute after the last); ValueError in words.

    >>> read_hours("20-07"), read_hours("8:30-12")
    ((1200, 420), (510, 720))
    """
    match = _HOURS.fullmatch(text.strip())
    begin, end = (int(match[1]) * 60 + int(match[2] or 0), int(match[3]) * 60 + int(match[4] or 0)) if match else (0, 0)
    if match is None or begin % 1440 == end % 1440 or max(begin, end) > 1440:
        raise ValueError(f"expected hours such as 20-07 or 20:30-07:00, not {text!r}")
    return begin % 1440, end % 1440


def is_within(hours: tuple[int, int], minute: int) -> bool:
    """Say whether a minute of the day is within hours, which may cross midnight.

    >>> [is_within((1200, 420), minute) for minute in (1199, 1200, 0, 419, 420)]
    [False, True, True, True, False]
    """
    begin, end = hours
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def hours_words(hours: tuple[int, int]) -> str:
    """Write hours for people.

    >>> hours_words((1230, 420))
    '20:30 to 07:00'
    """
    return " to ".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in hours)


def allowance(cpus: int) -> float:
    """Return how many CPUs others may use on a machine that still counts as idle: a quarter for each four.

    >>> allowance(2), allowance(4), allowance(32)
    (0.25, 0.25, 2.0)
    """
    return max(0.25, cpus / 16)


@dataclass(slots=True)
class Idleness:
    """Whether a machine is idle: others were quiet for a minute, and nobody typed for five."""

    cpus: int
    _quiet_since: float | None = None

    def objection(self, now: float, others: float | None, untouched: float | None) -> str | None:
        """Take in how many CPUs others used since the last time, and how long ago somebody typed (None: unknown).

        Return why the machine is not to be used now.
        """
        if others is None or others > allowance(self.cpus):
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        if untouched is not None and untouched < UNTOUCHED_SECONDS:
            return f"somebody used this machine {age_words(untouched)} ago"
        if others is not None and self._quiet_since is None:
            return f"others use {others:.1f} of {self.cpus} CPUs"
        quiet = 0.0 if self._quiet_since is None else now - self._quiet_since
        return None if quiet >= CALM_SECONDS else f"the machine has been idle for {age_words(quiet)} only"


def age_words(seconds: float) -> str:
    """Write a short time for people.

    >>> age_words(40), age_words(130)
    ('40 s', '2 min')
    """
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds // 60:.0f} min"


def memory_of_a_job(given: int | None, slots: int, total: int) -> int:
    """Return the bytes that one job gets at most: its part of what was given, else nine tenths of what there is.

    >>> memory_of_a_job(8_000, 4, 64_000), memory_of_a_job(None, 4, 64_000)
    (2000, 57600)
    """
    return max(1, given // slots) if given is not None else total * 9 // 10


def slots_for(wanted: int | None, affinity: int, quota: float | None) -> int:
    """Return how many jobs to run at a time: as many as wanted, else one for each CPU that may be used.

    >>> slots_for(None, 8, 2.5), slots_for(None, 8, None), slots_for(12, 8, None)
    (2, 8, 12)
    """
    return wanted or max(1, affinity if quota is None else min(affinity, int(quota)))


def cpu_warnings(wanted: int | None, affinity: int, quota: float | None, given: Mapping[str, int]) -> list[str]:
    """Say where this process may use fewer CPUs than it was told to, or was given by a job scheduler.

    >>> cpu_warnings(4, 4, None, {"SLURM_CPUS_ON_NODE": 4})
    []
    >>> cpu_warnings(None, 1, None, {"SLURM_CPUS_PER_TASK": 16})[0][:69]
    'it may run on 1 CPU, but was given 16 (SLURM_CPUS_PER_TASK): is it bo'
    """
    usable = affinity if quota is None else min(affinity, quota)
    why = "CPU affinity" if usable == affinity else "the quota of its control group"
    may = f"{usable:g} CPU{'' if usable == 1 else 's'}"
    warnings = []
    if wanted is not None and wanted > usable:
        warnings.append(f"--cpus {wanted}: it may run on {may} only ({why}), so its jobs take turns")
    for name, count in given.items():
        if count > usable:
            ask = "is it bound to fewer (mpirun, srun --cpu-bind, taskset)?" if usable == affinity else f"see {why}"
            warnings.append(f"it may run on {may}, but was given {count} ({name}): {ask}")
    return warnings
