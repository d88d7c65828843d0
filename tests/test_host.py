"""Measuring the machine: against the real one where it tells, against files of others where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from park_spool.running import host
from park_spool.running.courtesy import Courtesy, minute_of_day
from park_spool.running.host import Host
from park_spool.running.politeness import Manners


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_real_machine_answers() -> None:
    here = Host()
    assert 1 <= here.affinity() <= here.cpus
    memory = here.memory()
    assert 0 < memory["available"] <= memory["total"]
    assert len(here.load()) == 3
    age = here.untouched(time.time())
    assert age is None or age >= 0


def test_the_first_look_at_what_others_use_tells_nothing_yet() -> None:
    here = Host()
    assert here.others(1.0) is None
    used = here.others(2.0)
    assert used is not None
    assert used >= 0.0
    assert here.others(2.0) is None, "no time has passed"


def test_ones_own_jobs_count_as_ones_own_while_they_run_and_after() -> None:
    here = Host()
    before = here._own_seconds()
    burn = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in here._family()
        during = here._own_seconds()
    assert during - before > 0.25
    assert here._own_seconds() >= during - 0.02


def test_a_family_is_found_where_the_kernel_lists_no_children(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in Host(proc=tmp_path / "proc")._family()  # no /proc where it looks: psutil is asked
        child.communicate(b"\n")


@pytest.mark.parametrize(
    ("files", "quota", "memory"),
    [
        ({}, None, None),
        ({"a/b/cpu.max": "max 100000", "a/b/memory.max": "max"}, None, None),
        ({"a/b/cpu.max": "250000 100000", "a/cpu.max": "150000 100000", "a/memory.max": "1000000"}, 1.5, 1_000_000),
        ({"cpu.max": "50000 100000"}, 0.5, None),
    ],
)
def test_the_strictest_control_group_counts(
    tmp_path: Path, files: dict[str, str], quota: float | None, memory: int | None
) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/a/b\n")
    for name, text in files.items():
        write(tmp_path / "cgroup" / name, text)
    here = Host(tmp_path / "proc", tmp_path / "cgroup")
    assert here.quota() == quota
    assert here.memory()["total"] == (memory or Host().memory()["total"])


def test_control_groups_of_version_1_count_too(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "5:memory:/job\n3:cpu,cpuacct:/job\n")
    write(tmp_path / "cgroup/cpu/job/cpu.cfs_quota_us", "200000")
    write(tmp_path / "cgroup/cpu/job/cpu.cfs_period_us", "100000")
    write(tmp_path / "cgroup/cpu/cpu.cfs_quota_us", "-1")
    write(tmp_path / "cgroup/memory/job/memory.limit_in_bytes", "2000000")
    here = Host(tmp_path / "proc", tmp_path / "cgroup")
    assert (here.quota(), here.memory()["total"]) == (2.0, 2_000_000)


def test_a_terminal_tells_when_somebody_typed_and_a_screen_does_not(tmp_path: Path) -> None:
    tty = write(tmp_path / "pts", "")
    os.utime(tty, (1000.0, 1000.0))
    assert host._age(str(tty), 1030.0) == 30.0
    assert host._age(str(tty), 990.0) == 0.0
    assert host._age(":0", 1030.0) is None
    assert host._age(None, 1030.0) is None


@pytest.mark.parametrize(
    ("text", "idle"),
    [
        ("", None),
        ("IdleHint=no\nActiveSession=\n", None),
        ("IdleHint=no\nIdleSinceHintMonotonic=0\nActiveSession=2\n", 0.0),
        ("IdleHint=yes\nIdleSinceHintMonotonic=40000000\nActiveSession=2\n", 60.0),
        ("IdleHint=yes\nIdleSinceHintMonotonic=\nActiveSession=2\n", 0.0),
        ("nonsense\n\n=\n", None),
    ],
)
def test_what_logind_says_of_the_seat(text: str, idle: float | None) -> None:
    assert host.read_seat(text, 100.0) == idle


class Stage(Host):
    """A machine on which others use what the test says."""

    used = 0.0
    asked = 0

    @property
    def cpus(self) -> int:
        return 4

    def others(self, now: float) -> float | None:
        self.asked += 1
        return self.used

    def untouched(self, wall: float) -> float | None:
        return None


def test_a_node_without_wishes_never_looks_at_its_machine() -> None:
    stage = Stage()
    courtesy = Courtesy(Manners(), stage)
    assert courtesy.objection(0.0) is None
    assert stage.asked == 0


def test_the_machine_is_looked_at_every_few_seconds() -> None:
    stage = Stage()
    courtesy = Courtesy(Manners(when_idle=True), stage)
    said = [courtesy.objection(now / 10) for now in range(1000)]
    assert stage.asked == 20
    assert said[0] == "the machine has been idle for 0 s only"
    assert said[-1] is None
    stage.used = 3.1
    assert courtesy.objection(105.0) == "others use 3.1 of 4 CPUs"


def test_hours_are_local_and_come_first() -> None:
    stage, clock = Stage(), [1_795_400_000.0]
    minute = minute_of_day(clock[0])
    hours = ((minute + 1) % 1440, (minute + 10) % 1440)
    courtesy = Courtesy(Manners(hours=hours, when_idle=True), stage, lambda: clock[0])
    assert str(courtesy.objection(0.0)).endswith(" only")
    assert stage.asked == 0
    clock[0] += 60.0
    courtesy.objection(1.0)
    assert stage.asked == 1
    assert Courtesy(Manners(hours=hours), stage, lambda: clock[0]).objection(1.0) is None
