"""What a family of processes uses, from a /proc that a test has written and from the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from park_spool.running import usage
from park_spool.running.usage import Usage, children, descendants, exact_memory, usage_of

PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def add_process(proc: Path, pid: int, parent: int, state: str = "S", pages: int = 0, ticks: int = 0) -> None:
    """Write one process into a /proc, and among the children of its parent."""
    (proc / f"{pid}/task/{pid}").mkdir(parents=True)
    zeros = " ".join(["0"] * 6)
    (proc / f"{pid}/stat").write_text(
        f"{pid} (a) b) {state} {parent} 1 1 0 0 0 0 0 0 0 {ticks} {ticks} {ticks} {ticks} {zeros[:7]} 77 0 {pages} 0\n"
    )
    (proc / f"{pid}/task/{pid}/children").write_text("")
    above = proc / f"{parent}/task/{parent}/children"
    if above.exists():
        above.write_text(f"{above.read_text()}{pid} ")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a /proc with 1 ── 2 ── 3, and 4 beside 3."""
    this = os.getpid()
    (tmp_path / f"self/task/{this}").mkdir(parents=True)
    (tmp_path / f"self/task/{this}/children").touch()
    add_process(tmp_path, 1, 0)
    add_process(tmp_path, 2, 1, pages=10, ticks=TICKS)
    add_process(tmp_path, 3, 2, pages=5)
    add_process(tmp_path, 4, 2, "Z")
    return tmp_path


def test_memory_and_processor_time_are_added_up_and_the_living_counted(proc: Path) -> None:
    assert usage_of([2, 3, 4, 99], proc) == Usage(15 * PAGE, 4.0, 2)


def test_descendants_are_found_through_their_parents(proc: Path) -> None:
    assert descendants(1, proc) == [2, 3, 4] and children(1, proc) == [2]
    assert descendants(99, proc) == []


def test_a_kernel_without_lists_of_children_is_asked_for_all_processes(proc: Path) -> None:
    (proc / f"self/task/{os.getpid()}/children").unlink()
    assert descendants(1, proc) == [2, 3, 4]


def test_shared_memory_counts_once(proc: Path) -> None:
    for pid in (2, 3):
        (proc / f"{pid}/smaps_rollup").write_text("0-1 ---p 00000000 00:00 0 [rollup]\nRss: 100 kB\nPss:  60 kB\n")
    assert exact_memory([2, 3, 4], proc) == 120 * 1024
    assert exact_memory([4], proc) is None


def test_the_real_proc_is_understood() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.pid in descendants(os.getpid())
    used = usage_of([os.getpid(), child.pid])
    assert used.count == 2 and used.memory > 1_000_000 and used.cpu > 0
    assert (exact_memory([os.getpid()]) or 1) > 0
    child.communicate()
    assert usage.usage_of([child.pid]) == Usage()
