"""What the machine says of itself: CPUs, load, memory, what others use, when somebody last typed.

Thin: every method measures and nothing decides. What a system does not tell is None. Costs a few system calls each; a
node asks at its heartbeats, and every few seconds under `--when-idle`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from park_spool import processes

# What a job scheduler gave to this process: the first of each group that is set counts.
_GIVEN = (("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"), ("PBS_NCPUS", "NCPUS"), ("LSB_DJOB_NUMPROC",), ("NSLOTS",))
_SEAT_SECONDS = 60.0  # between two questions to logind: each is a process of its own
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _CSTIME = 11, 15  # fields of /proc/PID/stat, counted from the state (man 5 proc)


@dataclass(slots=True)
class Host:
    """This machine; `proc` and `cgroup` are where the system tells."""

    proc: Path = Path("/proc")
    cgroup: Path = Path("/sys/fs/cgroup")
    _before: tuple[float, float, float] | None = None  # time, seconds that all CPUs were busy, those of this family
    _seat: tuple[float, float | None] = (-1e9, None)

    @property
    def cpus(self) -> int:
        return os.cpu_count() or 1

    def affinity(self) -> int:
        """Count the CPUs that this process may run on, which may be fewer than the machine has."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else self.cpus

    def quota(self) -> float | None:
        """Return how many CPUs' time the control groups of this process give it."""
        quotas = [_quota(text) for text in self._limits("cpu", "cpu.max")]
        for folder in self._groups("cpu"):
            quotas.append(_quota(f"{_text(folder / 'cpu.cfs_quota_us')} {_text(folder / 'cpu.cfs_period_us')}"))
        return min((quota for quota in quotas if quota is not None), default=None)

    def memory(self) -> dict[str, int]:
        """Return bytes: what there is in all, less where a control group gives less, and what is available."""
        found = psutil.virtual_memory()
        texts = [*self._limits("memory", "memory.max"), *self._limits("memory", "memory.limit_in_bytes")]
        total = min([found.total, *(int(text) for text in texts if text.isdecimal())])
        return {"total": total, "available": min(total, found.available)}

    def load(self) -> list[float]:
        return [round(value, 2) for value in psutil.getloadavg()]

    def others(self, now: float) -> float | None:
        """Return how many CPUs others than this node and its jobs used since the last call; None at the first."""
        times = psutil.cpu_times()
        busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
        own, before = self._own_seconds(), self._before
        self._before = (now, busy, own)
        if before is None or now <= before[0]:
            return None
        return max(0.0, ((busy - before[1]) - (own - before[2])) / (now - before[0]))

    def untouched(self, wall: float) -> float | None:
        """Return for how long nobody has typed at a terminal or, as far as logind tells, used the screen."""
        ages = [age for user in psutil.users() if (age := _age(user.terminal, wall)) is not None]
        if wall - self._seat[0] >= _SEAT_SECONDS:
            self._seat = (wall, seat_idle(time.monotonic()))
        if self._seat[1] is not None:
            ages.append(self._seat[1] + wall - self._seat[0])
        return min(ages, default=None)

    def _own_seconds(self) -> float:
        """Add up the processor time of this process and all that it started, those that have ended included."""
        own = os.times()
        return sum(own[:4]) + sum(self._seconds_of(pid) for pid in self._family())

    def _family(self) -> Iterable[int]:
        """List the descendants of this process; the kernel's own list of children spares a look at everybody's."""
        if not (self.proc / "self/task" / str(os.getpid()) / "children").exists():
            return processes.family(os.getpid(), self.proc)
        found, new = [], [os.getpid()]
        while new:
            pid = new.pop()
            with suppress(OSError):
                for task in (self.proc / str(pid) / "task").iterdir():
                    new += [int(word) for word in _text(task / "children").split()]
            found.append(pid)
        return found[1:]

    def _seconds_of(self, pid: int) -> float:
        fields = _text(self.proc / str(pid) / "stat").rpartition(")")[2].split()
        return sum(map(int, fields[_UTIME:_CSTIME])) / _TICKS if len(fields) > _CSTIME else 0.0

    def _limits(self, controller: str, name: str) -> list[str]:
        return [text for folder in self._groups(controller) if (text := _text(folder / name))]

    def _groups(self, controller: str) -> list[Path]:
        """List the folders of this process's control group and of those above it, of version 2 or 1."""
        folders = []
        for line in _text(self.proc / "self/cgroup").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers or controller in controllers.split(","):
                top = self.cgroup / (controller if controllers else "")
                inner = top / path.lstrip("/")
                folders += [inner, *(above for above in inner.parents if above.is_relative_to(top))]
        return folders


def given_cpus(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Return what a job scheduler says that it gave to this process: the variable that says so, and the CPUs.

    >>> given_cpus({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "16", "NSLOTS": "?"})
    {'SLURM_CPUS_PER_TASK': 4}
    """
    firsts = (next((name for name in names if environment.get(name, "").isdecimal()), None) for names in _GIVEN)
    return {name: int(environment[name]) for name in firsts if name is not None}


def seat_idle(monotonic: float) -> float | None:
    """Ask logind for how long the screen and keyboard of this machine have not been used; None if it does not tell."""
    command = ["loginctl", "show-seat", "seat0", "--property=IdleHint,IdleSinceHintMonotonic,ActiveSession"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_seat(done.stdout, monotonic) if done.returncode == 0 else None


def read_seat(text: str, monotonic: float) -> float | None:
    """Read what logind says of a seat: seconds since it was used; None if nobody is logged in there.

    >>> read_seat("IdleHint=yes\\nIdleSinceHintMonotonic=40000000\\nActiveSession=2\\n", 100.0)
    60.0
    >>> read_seat("IdleHint=no\\nActiveSession=2\\n", 100.0), read_seat("IdleHint=no\\nActiveSession=\\n", 100.0)
    (0.0, None)
    """
    said = dict(line.partition("=")[::2] for line in text.splitlines())
    if not said.get("ActiveSession"):
        return None
    since = said.get("IdleSinceHintMonotonic", "")
    return max(0.0, monotonic - int(since) / 1e6) if said.get("IdleHint") == "yes" and since.isdecimal() else 0.0


def _age(terminal: str | None, wall: float) -> float | None:
    """Return how long ago something was typed at a terminal: the kernel notes it as the time of access."""
    try:
        return max(0.0, wall - (Path("/dev") / terminal).stat().st_atime) if terminal else None
    except OSError:
        return None  # a screen (":0") is no terminal


def _quota(text: str) -> float | None:
    """Read a CPU quota and its period.

    >>> _quota("250000 100000"), _quota("max 100000"), _quota("-1 100000")
    (2.5, None, None)
    """
    words = text.split()
    is_set = len(words) == 2 and all(word.isdecimal() and int(word) > 0 for word in words)
    return int(words[0]) / int(words[1]) if is_set else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
