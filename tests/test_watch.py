"""The watch over a child: limits count from the last result, usage from half a second on; time passes by a test's word."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from park_spool.running.exceeded import Bounds
from park_spool.running.watch import Watch


@dataclass
class Silent:
    """A child whose results grow as a test says; this very process stands for what it uses."""

    size: int = 0
    written_at: float = 5000.0
    pid: int = field(default_factory=os.getpid)

    def written(self) -> tuple[int, float]:
        return self.size, self.written_at


class Watched:
    """A watch, its child, and one clock for both kinds of time."""

    def __init__(self, bounds: Bounds) -> None:
        self.child: Any = Silent()
        self.watch = Watch("gave no result", bounds, lambda: 5000.0 + self.now)
        self.now = 0.0

    def look(self, now: float) -> tuple[str, str] | None:
        self.now = now
        return self.watch.look(self.child, now)

    def write(self, now: float) -> None:
        self.child.size, self.child.written_at = self.child.size + 1, 5000.0 + now


def test_silence_beyond_the_limit_is_a_timeout() -> None:
    watched = Watched(Bounds(10.0))
    assert watched.look(1.0) is None and watched.watch.wake_at == 11.0
    assert watched.look(10.9) is None
    assert watched.look(11.0) == ("timeout", "the service gave no result within its limit of 10 s")


def test_each_result_begins_a_new_limit_at_the_time_that_it_was_written() -> None:
    watched = Watched(Bounds(10.0))
    watched.look(1.0)
    watched.write(6.0)
    assert watched.look(8.0) is None and watched.watch.wake_at == 16.0


def test_a_wall_clock_that_jumps_is_not_believed_beyond_the_last_look() -> None:
    watched = Watched(Bounds(10.0))
    watched.look(1.0)
    watched.write(-3000.0)
    assert watched.look(8.0) is None and watched.watch.wake_at == 11.0


def test_a_child_that_keeps_files_has_its_time_again() -> None:
    watched = Watched(Bounds(10.0))
    watched.look(1.0)
    watched.watch.rewind()
    assert watched.look(30.0) is None and watched.watch.wake_at == 40.0


def test_without_limits_of_its_own_nothing_is_looked_at_before_the_end() -> None:
    watched = Watched(Bounds(10.0))
    watched.look(1.0)
    assert watched.watch.wake_at == 11.0


def test_memory_is_looked_at_after_half_a_second_twice_a_second() -> None:
    watched = Watched(Bounds(10.0, memory=1))
    assert watched.look(1.0) is None and watched.watch.wake_at == 1.5
    assert watched.look(1.4) is None
    status, why = watched.look(1.5) or ("", "")
    assert status == "failed" and why.startswith("it used more than its memory limit of 1 B")


def test_what_jobs_before_used_is_not_held_against_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(Bounds(10.0, cpu=0.1))
    watched.look(1.0)
    assert watched.look(1.5) is None, "all of it was used before the first look"
    assert watched.watch.wake_at == 2.0
