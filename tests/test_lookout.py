"""Looks at a running program: when they are due, and what they find."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterator

import pytest

from park_spool.limits import Limits
from park_spool.running.exceeded import Bounds
from park_spool.running.lookout import Lookout, passed
from park_spool.running.usage import descendants


@pytest.fixture
def child() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "1000"])
    yield process.pid
    process.kill()
    process.wait()


def test_who_has_no_limits_and_nobody_to_tell_is_never_looked_at() -> None:
    assert Lookout(Limits(timeout=60), None, 0.0).next_at == math.inf


def test_usage_is_looked_at_after_half_a_second_and_then_twice_a_second() -> None:
    lookout = Lookout(Limits(memory=10**15), None, 100.0)
    assert lookout.next_at == 100.5
    assert lookout.look(100.6, []) == "" and lookout.next_at == 101.1


def test_progress_is_told_when_it_is_better_and_each_piece_is_read_once() -> None:
    told: list[str] = []
    lookout, output = Lookout(Limits(), told.append, 0.0), [b'{"chisq": 5}\n{"chi']
    assert lookout.next_at == 1.0
    lookout.look(0.9, output)
    assert told == []
    for now, piece in ((1.0, b'sq": 4}\n'), (2.0, b'{"chisq": 9}\n'), (3.0, b'{"chisq": 1}\n')):
        output.append(piece)
        lookout.look(now, output)
    assert told == ['{"chisq": 4}', '{"chisq": 1}'] and lookout.next_at == 4.0


def test_a_family_beyond_its_memory_is_said_in_words(child: int) -> None:
    assert child in descendants(os.getpid())
    assert passed(Bounds(60, memory=10**15), os.getpid()) == ""
    assert passed(Bounds(60, memory=1), child).startswith("used more than its memory limit of 1 B: ")
    assert passed(Bounds(60, memory=1), child).endswith(" in 1 process")


def test_processor_time_counts_from_where_it_began() -> None:
    assert passed(Bounds(60, cpu=0.001), os.getpid()) == "used more than its limit of 0.001 s of processor time"
    assert passed(Bounds(60, cpu=0.001), os.getpid(), cpu_before=10.0**6) == ""
