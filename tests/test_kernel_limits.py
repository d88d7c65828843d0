"""Limits that the kernel keeps: on a program after its start, and on oneself for a while (in a process of its own)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from park_spool.limits import Limits
from park_spool.running.kernel_limits import limit_program


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"], process_group=0)
    yield process
    process.kill()
    process.wait()


def test_a_program_gets_its_limits_after_its_start(program: subprocess.Popen[bytes]) -> None:
    limit_program(program.pid, Limits(cpu=1.5, memory=10**9, open_files=64, nice=7, grace=2.0))
    assert resource.prlimit(program.pid, resource.RLIMIT_CPU) == (2, 6)
    assert resource.prlimit(program.pid, resource.RLIMIT_DATA) == (10**9, 10**9)
    assert resource.prlimit(program.pid, resource.RLIMIT_NOFILE) == (64, 64)
    assert os.getpriority(os.PRIO_PROCESS, program.pid) == max(7, os.getpriority(os.PRIO_PROCESS, 0))


def test_a_program_that_has_ended_is_no_error(program: subprocess.Popen[bytes]) -> None:
    program.kill()
    program.wait()
    limit_program(program.pid, Limits(memory=10**9, nice=7))


def test_nothing_is_set_where_there_is_no_limit(program: subprocess.Popen[bytes]) -> None:
    before = resource.prlimit(program.pid, resource.RLIMIT_DATA)
    limit_program(program.pid, Limits())
    assert resource.prlimit(program.pid, resource.RLIMIT_DATA) == before


BEGIN = """
import os, resource
from park_spool.limits import Limits
from park_spool.running.kernel_limits import OwnLimits
own = OwnLimits()
usual = resource.getrlimit(resource.RLIMIT_DATA), resource.getrlimit(resource.RLIMIT_NOFILE)
"""


def run(script: str) -> None:
    """Run a script that asserts, in an interpreter whose limits nobody else has."""
    done = subprocess.run([sys.executable, "-c", BEGIN + script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_own_limits_are_lowered_and_raised_again() -> None:
    run("""
own.lower(Limits(memory=10**9, open_files=64))
assert resource.getrlimit(resource.RLIMIT_DATA) == (10**9, usual[0][1])
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (64, usual[1][1])
own.raise_again()
assert (resource.getrlimit(resource.RLIMIT_DATA), resource.getrlimit(resource.RLIMIT_NOFILE)) == usual
assert not own.are_spoilt()
""")


def test_there_is_no_way_back_from_nice() -> None:
    run("""
nice = os.getpriority(os.PRIO_PROCESS, 0)
assert not own.is_too_nice(Limits())
own.lower(Limits(nice=nice + 1))
assert own.is_too_nice(Limits()) and not own.is_too_nice(Limits(nice=nice + 1))
""")


def test_hard_limits_that_a_job_lowered_are_seen() -> None:
    run("""
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
own.raise_again()
assert own.are_spoilt()
""")


def test_descriptors_that_a_job_left_open_are_seen() -> None:
    run("""
resource.setrlimit(resource.RLIMIT_NOFILE, (20, usual[1][1]))
own = OwnLimits()
left = []
try:
    while True:
        left.append(os.open("/", os.O_RDONLY))
except OSError:
    assert own.are_spoilt()
os.close(left.pop())
assert not own.are_spoilt()
""")
