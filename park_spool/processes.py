"""Which process is which, whether it still lives, and how to end it with everything that it started.

An Identity names one process for ever: a pid alone is used again, a pid with its start time, boot and pid
namespace is not.  `is_alive` answers None, cannot tell, whenever the identity was taken elsewhere; a claim is
taken back at once only on False, so every doubt must be None.
Nothing here touches the spool.  Where there is no /proc the identity is empty, and the answer always None.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PROC = Path("/proc")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_STATE, _PARENT, _SESSION, _START = (
    0,
    1,
    3,
    19,
)  # fields of /proc/PID/stat, counted from the state, which follows the name (man 5 proc)


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of one boot of one host: `start` is in clock ticks since that boot."""

    host: str
    boot: str
    namespace: str
    pid: int
    start: int

    def to_json(self) -> dict[str, object]:
        return {
            "host": self.host,
            "boot": self.boot,
            "namespace": self.namespace,
            "pid": self.pid,
            "start": self.start,
        }

    @classmethod
    def from_json(cls, fields: dict[str, object]) -> Identity:
        """Read an identity back; a field that is missing or of a wrong type makes one that never matches."""
        words = [str(fields.get(name, "")) for name in ("host", "boot", "namespace")]
        numbers = [value if isinstance(value := fields.get(name), int) else 0 for name in ("pid", "start")]
        return cls(words[0], words[1], words[2], numbers[0], numbers[1])


def identity(pid: int | None = None, proc: Path = PROC) -> Identity:
    """Take the identity of a process of this host, its own unless told; ProcessLookupError if it is gone."""
    pid = os.getpid() if pid is None else pid
    host, boot, namespace = _place(proc)
    if not boot:
        return Identity(host, "", "", pid, 0)
    stat = read_stat(proc, pid)
    if stat is None:
        raise ProcessLookupError(f"process {pid} is gone: {proc}/{pid}/stat cannot be read")
    return Identity(host, boot, namespace, pid, int(stat[_START]))


def is_alive(one: Identity, proc: Path = PROC) -> bool | None:
    """Say whether that process runs; None where nobody here can tell (another host, container or boot)."""
    host, boot, namespace = _place(proc)
    # The host's name counts too: machines restored from one snapshot share boot id and namespace number.
    if not boot or (one.host, one.boot, one.namespace) != (host, boot, namespace) or one.pid <= 0:
        return None
    stat = read_stat(proc, one.pid)
    if stat is None:
        return _is_unseen_process(one.pid)
    if int(stat[_START]) != one.start:
        return False
    return stat[_STATE] not in "ZX" or _has_other_threads(proc, one.pid)


def _place(proc: Path) -> tuple[str, str, str]:
    """Return (host, boot id, pid namespace); the last two empty where the system does not tell."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        return socket.gethostname(), boot, str((proc / "self/ns/pid").readlink())
    except OSError:
        return socket.gethostname(), "", ""


def read_stat(proc: Path, pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat behind the name, the state first; None where there are none."""
    try:
        text = (proc / str(pid) / "stat").read_bytes().decode(errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may hold spaces and parentheses itself: count from the last one.
    fields = text.rpartition(")")[2].split()
    return fields if len(fields) > _START else None


def _is_unseen_process(pid: int) -> bool | None:
    """Tell a process that is gone (False) from one that /proc hides from this user (None)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    return None


def _has_other_threads(proc: Path, pid: int) -> bool:
    # RACE: a main thread is a zombie at once, while another thread may still be inside its last rename.
    try:
        return len(list((proc / str(pid) / "task").iterdir())) > 1
    except OSError:
        return False


def set_parent_death_signal(number: int, parent: int | None = None) -> bool:
    """Ask the kernel for a signal when the parent dies (0: none any more); False where it cannot be asked.

    `parent` is the pid that the caller expects as its parent: if that is gone already, the signal is sent at
    once, since the kernel only tells of deaths that are still to come.
    """
    is_set = _prctl(_PR_SET_PDEATHSIG, number)
    if number and parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)
    return is_set


def become_reaper() -> bool:
    """Have orphans handed to this process, not to init, so that no job can daemonize out of sight."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    # Five arguments: the unused ones must be zero, and a variadic call would leave them to chance.
    return bool(_library().prctl(option, value, 0, 0, 0) == 0)


@lru_cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def family(leader: int, proc: Path = PROC) -> list[int]:
    """List what a process has started: its descendants and the members of its session, itself left out."""
    if not proc.is_dir():
        return _family_without_proc(leader)
    parents: dict[int, int] = {}
    found = set()
    for name in (entry.name for entry in proc.iterdir()):
        if name.isdigit() and (stat := read_stat(proc, int(name))):
            parents[int(name)] = int(stat[_PARENT])
            if int(stat[_SESSION]) == leader:
                found.add(int(name))
    found |= _descendants(leader, parents)
    return sorted(found - {leader, os.getpid()})


def _descendants(leader: int, parents: dict[int, int]) -> set[int]:
    """Follow a table {pid: parent} down from a leader.

    >>> sorted(_descendants(2, {2: 1, 3: 2, 4: 3, 5: 1}))
    [2, 3, 4]
    """
    found, size = {leader}, 0
    while size != len(found):
        size = len(found)
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found


def _family_without_proc(leader: int) -> list[int]:
    import psutil  # slow to import, and not needed on Linux

    try:
        return [child.pid for child in psutil.Process(leader).children(recursive=True)]
    except psutil.Error:
        return []


def kill_family(leader: int) -> None:
    """Send SIGKILL to all that a process has started, then to itself.

    The leader is stopped first, so that it neither forks nor sees the others die, and goes last, for it is what
    holds the family together.  RACE: it must not be reaped yet, or its number may be another's.
    """
    if leader != os.getpid():
        send_signal(leader, signal.SIGSTOP)
    for _ in range(2):  # twice, since a process may fork while the first round goes on
        for pid in family(leader):
            send_signal(pid, signal.SIGKILL)
    send_signal(leader, signal.SIGKILL)


def kill_marked(name: str, value: str, proc: Path = PROC) -> int:
    """Send SIGKILL to all processes that were started with this in their environment; return how many.

    The last resort against those who left family, group and session; one that changed its environment goes free.
    """
    mark, count = f"{name}={value}".encode(), 0
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):  # gone, or another user's
            if mark in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                count += send_signal(int(folder.name), signal.SIGKILL)
    return count


def kill_strays(rounds: int = 100) -> int:
    """Kill and reap the children that this process did not wait for (a job's daemons); return how many."""
    count = 0
    for _ in range(rounds):
        reaped = _reap_one()
        if reaped is None:
            break
        count += reaped
        if not reaped:
            for pid in family(os.getpid()):
                send_signal(pid, signal.SIGKILL)
            time.sleep(0.005)  # a killed process needs a moment to die, and may leave orphans of its own
    return count


def _reap_one() -> bool | None:
    """Reap a dead child; False where those that are left live, None where there are none."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return None


def send_signal(pid: int, number: int) -> bool:
    """Send a signal to one process; False where it is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def send_group_signal(group: int, number: int) -> bool:
    """Send a signal to a whole process group; False where nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # PermissionError: macOS says so of a group of zombies
        return False
    return True


def signal_name(number: int) -> str:
    """Name a signal for a person.

    >>> signal_name(11), signal_name(50)
    ('SIGSEGV', 'signal 50')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def describe_exit(status: int) -> str:
    """Say how a process ended, from a returncode as subprocess gives it.

    >>> describe_exit(3), describe_exit(-11)
    ('exited with status 3', 'was killed by SIGSEGV')
    """
    return f"was killed by {signal_name(-status)}" if status < 0 else f"exited with status {status}"
