"""Identities of processes: alive, dead, used again, elsewhere; and ending what a process started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from park_spool import processes
from park_spool.processes import Identity, identity, is_alive


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def test_this_process_is_alive() -> None:
    assert is_alive(identity()) is True


def test_an_identity_survives_json() -> None:
    one = identity()
    assert Identity.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_fields_that_are_missing_or_wrong_make_an_identity_that_is_never_judged() -> None:
    assert is_alive(Identity.from_json({})) is None
    assert is_alive(Identity.from_json({**identity().to_json(), "pid": "x"})) is None


def test_a_zombie_and_a_reaped_process_are_dead(sleeper: subprocess.Popen[bytes]) -> None:
    one = identity(sleeper.pid)
    assert is_alive(one) is True
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(one) is False
    sleeper.wait()
    assert is_alive(one) is False
    with pytest.raises(ProcessLookupError):
        identity(sleeper.pid)


def test_a_pid_that_is_used_again_is_another_process() -> None:
    assert is_alive(replace(identity(), start=1)) is False


@pytest.mark.parametrize("change", [{"boot": "another"}, {"namespace": "pid:[1]"}, {"host": "another"}])
def test_nobody_here_can_tell_of_another_host_boot_or_container(change: dict[str, str]) -> None:
    assert is_alive(replace(identity(), **change)) is None


def make_proc(folder: Path, stat: str, threads: int = 1) -> Path:
    """Make a /proc that holds process 41 alone."""
    (folder / "sys/kernel/random").mkdir(parents=True)
    (folder / "sys/kernel/random/boot_id").write_text("boot\n")
    (folder / "self/ns").mkdir(parents=True)
    (folder / "self/ns/pid").symlink_to("pid:[1]")
    for thread in range(threads):
        (folder / "41/task" / str(thread)).mkdir(parents=True)
    (folder / "41/stat").write_text(stat)
    return folder


STAT = "41 (a) b (c)) {state} 1 2 3" + " 0" * 15 + " 777 0 0 0"


def test_names_with_parentheses_do_not_confuse(tmp_path: Path) -> None:
    one = identity(41, make_proc(tmp_path, STAT.format(state="S")))
    assert (one.start, one.boot, one.namespace) == (777, "boot", "pid:[1]")
    assert is_alive(one, tmp_path) is True


@pytest.mark.parametrize(
    ("state", "threads", "answer"), [("Z", 1, False), ("Z", 2, True), ("X", 1, False), ("D", 1, True)]
)
def test_a_dead_main_thread_is_not_the_end(tmp_path: Path, state: str, threads: int, answer: bool) -> None:
    proc = make_proc(tmp_path, STAT.format(state=state), threads)
    assert is_alive(identity(41, proc), proc) is answer


def test_a_process_that_proc_hides_is_not_taken_for_dead(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, STAT.format(state="S"))
    hidden = replace(identity(41, proc), pid=os.getpid())
    assert is_alive(hidden, proc) is None


def test_without_proc_nobody_can_tell(tmp_path: Path) -> None:
    one = identity(proc=tmp_path)
    assert one.boot == "" and is_alive(one, tmp_path) is None
    assert is_alive(one) is None


ORPHAN = """
import os, signal, sys, time
from park_spool.processes import set_parent_death_signal
parent = os.getpid()
if os.fork() == 0:
    set_parent_death_signal(signal.SIGKILL, parent)
    print("ready", flush=True)
    time.sleep(1000)
sys.stdin.read()
"""


def test_a_child_dies_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin and parent.stdout
    assert parent.stdout.readline() == b"ready\n"
    parent.kill()
    assert parent.stdout.read() == b""  # the child held it, too: it is gone
    parent.stdin.close()
    parent.stdout.close()
    parent.wait()


LATE = """
import os, signal
from park_spool.processes import set_parent_death_signal
set_parent_death_signal(signal.SIGTERM, 999999999)
print("still here")
"""


def test_a_parent_that_is_gone_already_counts_as_well() -> None:
    late = subprocess.run([sys.executable, "-c", LATE], capture_output=True)
    assert (late.returncode, late.stdout) == (-signal.SIGTERM, b"")


def test_a_family_is_killed_sessions_and_groups_included(tmp_path: Path) -> None:
    script = "setsid sleep 1000 & sleep 1000 & echo started; wait"
    leader = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout and leader.stdout.readline() == b"started\n"
    family = [identity(pid) for pid in processes.family(leader.pid)]
    assert len(family) >= 2
    processes.kill_family(leader.pid)
    assert leader.stdout.read() == b""  # nobody holds it any more
    assert leader.wait() == -signal.SIGKILL
    leader.stdout.close()


def test_signals_to_those_who_are_gone_are_no_error(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()
    assert processes.send_signal(sleeper.pid, signal.SIGTERM) is False
    assert processes.send_group_signal(sleeper.pid, signal.SIGTERM) is False
