"""A look at this machine, as `top` gives it: load, CPUs, memory, and the busiest processes by name (no arguments)."""

from __future__ import annotations

import sys
import time

import psutil

LOOK = 0.5  # s between the two looks from which the CPU shares come


def size(count: float) -> str:
    """Write a number of bytes.

    >>> size(512), size(2.5e9)
    ('0.0M', '2.3G')
    """
    return f"{count / 2**30:.1f}G" if count >= 2**30 else f"{count / 2**20:.1f}M"


def head() -> list[str]:
    """Write load, CPUs and memory."""
    load = " ".join(f"{value:.2f}" for value in psutil.getloadavg())
    shares = " ".join(f"{share:.0f}%" for share in psutil.cpu_percent(interval=LOOK, percpu=True)[:64])
    memory = psutil.virtual_memory()
    days = (time.time() - psutil.boot_time()) / 86400
    return [
        f"up {days:.1f} days, load {load}, {len(psutil.pids())} processes",
        f"CPUs: {psutil.cpu_count()}, busy {shares}",
        f"memory: {size(memory.total)}, available {size(memory.available)}",
    ]


def processes() -> list[psutil.Process]:
    """Begin to watch all processes: a share needs two looks."""
    found = list(psutil.process_iter(["pid", "name", "username", "memory_info", "cpu_times"]))
    for process in found:
        _share(process)
    return found


def _share(process: psutil.Process) -> float:
    try:
        return process.cpu_percent()
    except psutil.Error:
        return 0.0


def busiest(watched: list[psutil.Process], count: int) -> list[str]:
    """Write the processes with the largest share of a CPU since they are watched, then with the most memory."""
    shares = sorted(((_share(process), _memory(process), process) for process in watched), key=_rank)
    lines = [f"{'PID':>8} {'USER':<10} {'CPU%':>6} {'MEMORY':>8}  NAME"]
    for share, memory, process in shares[:count]:
        user, name = process.info["username"] or "?", process.info["name"] or "?"
        lines.append(f"{process.pid:>8} {user[:10]:<10} {share:>6.1f} {size(memory):>8}  {name}")
    return lines


def _memory(process: psutil.Process) -> int:
    memory = process.info["memory_info"]
    return int(memory.rss) if memory else 0


def _rank(entry: tuple[float, int, psutil.Process]) -> tuple[float, int]:
    return -entry[0], -entry[1]


def main(count: int) -> None:
    watched = processes()
    print("\n".join([*head(), "", *busiest(watched, count)]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
