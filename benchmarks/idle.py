"""What idle daemons cost: their CPU time over half a minute, then the file-system calls of the node over another.

The daemons have done a session before, so that children are warm. CPU time is the scheduler's own count, in
nanoseconds, of all daemons with their children: the usual one, in ticks of 10 ms, sees no short wake-ups. Calls are those on paths or open files of the spool that strace sees.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from figures import Measure, Part, Target
from spools import Spool, running, session

SECONDS = 30.0
NAME = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(")
# What reads or changes names, attributes or data; waiting for events does not touch the file system.
WAITING = ("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "fcntl", "lseek", "ioctl", "close")


@contextmanager
def part(most: int) -> Iterator[Part]:
    with running() as spool:
        spool.seconds(session("tester/noop", 100), 100)
        time.sleep(5.0)
        yield _part(spool)


def _part(spool: Spool) -> Part:
    measures = [
        Measure("all daemons, CPU", lambda: cpu_percent(spool, list(spool.daemons)), 0, "%"),
        Measure("the node, CPU", lambda: cpu_percent(spool, ["noded"]), 0, "%"),
    ]
    targets = [Target("all daemons, CPU", most=0.5), Target("the node, CPU", most=0.2)]
    notes = [f"{SECONDS:g} s each; the node with its warm children and its standby park-spoold"]
    if shutil.which("strace"):
        measures.append(Measure("the node, calls on the spool", lambda: calls(spool, "noded"), 0, "/s"))
        notes.append("calls: on a local disk there is no target; on a share tests/test_heartbeat.py counts them")
    else:
        notes.append("calls on the spool: skipped, strace is not installed")
    return Part("Idle daemons", measures, targets, notes, most_runs=1)


def family(spool: Spool, names: Sequence[str]) -> list[psutil.Process]:
    """Return daemons with all that they started."""
    parents = [psutil.Process(spool.daemons[name].pid) for name in names]
    return [*parents, *(child for parent in parents for child in parent.children(recursive=True))]


def cpu_percent(spool: Spool, names: Sequence[str]) -> float:
    """Return the CPU time of daemons over a while, in percent of one CPU."""

    processes = family(spool, names)
    before, begin = [used(process.pid) for process in processes], time.monotonic()
    time.sleep(SECONDS)
    after, seconds = [used(process.pid) for process in processes], time.monotonic() - begin
    return 100 * (sum(after) - sum(before)) / seconds


def used(pid: int) -> float:
    """Return the seconds of CPU that the threads of a process had; OSError if it has ended."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def calls(spool: Spool, name: str) -> float:
    """Return how many calls a second touch the spool, of a daemon and its warm children (not of its standby)."""
    processes = [one for one in family(spool, [name]) if "park_spool.spoold" not in " ".join(one.cmdline())]
    with tempfile.NamedTemporaryFile(prefix="park-benchmark-", suffix=".strace") as trace:
        command = ["strace", "-f", "-y", "-qq", "-e", "trace=%file,%desc", "-o", trace.name]
        command += [word for process in processes for word in ("-p", str(process.pid))]
        strace = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(SECONDS)
        strace.send_signal(signal.SIGINT)
        strace.wait()
        lines = Path(trace.name).read_text(errors="replace").splitlines()
    return sum(touches(line, str(spool.folder)) for line in lines) / SECONDS


def touches(line: str, folder: str) -> bool:
    """Say whether a line of strace is a call on the spool.

    >>> touches('12 openat(AT_FDCWD</>, "/s/ready", O_RDONLY) = 3</s/ready>', "/s")
    True
    >>> touches("12 poll([{fd=3</s/ready>, events=POLLIN}], 1, 5000) = 0", "/s")
    False
    """
    match = NAME.match(line)
    return bool(match) and match[1] not in WAITING and folder in line
