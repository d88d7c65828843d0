"""Programs kept together: started again with a growing delay, stopped together, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from running_site import wait_until_gone

from park_spool.supervise import STEADY, Program, Supervisor, start_program


@dataclass
class Fake:
    """A process that ends when the test says so."""

    argv: Sequence[str]
    pid: int = 1
    status: int | None = None
    signals: list[str] = field(default_factory=list)
    is_deaf: bool = False

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.signals.append("SIGTERM")
        self.status = None if self.is_deaf else -signal.SIGTERM

    def kill(self) -> None:
        self.signals.append("SIGKILL")
        self.status = -signal.SIGKILL

    def wait(self, timeout: float | None = None) -> int:
        if self.status is None:
            raise subprocess.TimeoutExpired(list(self.argv), timeout or 0)
        return self.status


class Scene:
    """A supervisor of two fakes, and a clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.started: list[Fake] = []
        self.refused = 0
        programs = [Program("one", ("one",)), Program("two", ("two",))]
        self.supervisor = Supervisor(programs, cast(Any, self.start), lambda: self.now)

    def start(self, argv: Sequence[str]) -> Fake:
        if self.refused:
            self.refused -= 1
            raise BlockingIOError("no more processes")
        self.started.append(Fake(argv))
        return self.started[-1]

    def names(self) -> list[str]:
        return [fake.argv[0] for fake in self.started]


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    assert made.supervisor.step() is True
    return made


def test_all_are_started_at_once_and_then_there_is_nothing_to_do(scene: Scene) -> None:
    assert scene.names() == ["one", "two"]
    assert scene.supervisor.step() is False and scene.supervisor.wake_at() is None
    assert set(scene.supervisor.running()) == {"one", "two"}


def test_one_that_ends_is_started_again_at_once_and_then_later_and_later(scene: Scene) -> None:
    delays = []
    for _ in range(9):
        scene.started[-1].status = 1
        scene.supervisor.step()
        due = scene.supervisor.wake_at() or scene.now
        delays.append(due - scene.now)
        scene.now = due
        scene.supervisor.step()
    assert delays == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert scene.names() == ["one", "two"] + ["two"] * 9


def test_one_that_ran_for_long_counts_as_new(scene: Scene) -> None:
    for _ in range(3):
        scene.now += STEADY
        scene.started[-1].status = 1
        scene.supervisor.step()
        assert scene.supervisor.wake_at() is None


def test_one_that_cannot_be_started_is_tried_again() -> None:
    scene = Scene()
    scene.refused = 1
    scene.supervisor.step()
    assert scene.names() == ["two"]
    assert scene.supervisor.wake_at() == scene.now + 0.5
    scene.now += 0.5
    scene.supervisor.step()
    assert scene.names() == ["two", "one"]


def test_all_stop_together_and_the_deaf_are_killed(scene: Scene) -> None:
    scene.started[0].is_deaf = True
    scene.supervisor.stop(5.0)
    assert [fake.signals for fake in scene.started] == [["SIGTERM", "SIGKILL"], ["SIGTERM"]]
    assert scene.supervisor.running() == {}


SUPERVISED = """
import sys
from park_spool.supervise import Program, supervise
child = "import os, time; os.write(1, (str(os.getpid()) + os.linesep).encode()); time.sleep(1000)"
sys.exit(supervise([Program(name, (sys.executable, "-c", child)) for name in ("one", "two")], 5.0))
"""


@pytest.fixture
def supervised() -> Iterator[subprocess.Popen[str]]:
    """Start a supervisor of two programs that print their process numbers; none of them survives the test."""
    process = subprocess.Popen([sys.executable, "-c", SUPERVISED], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def number_from(process: subprocess.Popen[str]) -> int:
    assert process.stdout
    return int(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_real_programs_together(supervised: subprocess.Popen[str], number: signal.Signals) -> None:
    children = [number_from(supervised), number_from(supervised)]
    supervised.send_signal(number)
    assert supervised.stdout and supervised.stdout.read() == ""  # nobody is left who holds it
    assert supervised.wait() == number
    for child in children:
        wait_until_gone(child)


def test_a_killed_program_is_started_again_and_none_outlives_its_supervisor(supervised: subprocess.Popen[str]) -> None:
    children = [number_from(supervised), number_from(supervised)]
    os.kill(children[0], signal.SIGKILL)
    assert number_from(supervised) not in children
    supervised.kill()
    assert supervised.stdout and supervised.stdout.read() == ""


def test_ctrl_c_reaches_a_program_through_its_supervisor_alone() -> None:
    process = start_program([sys.executable, "-c", "import os, sys; sys.exit(os.getpgrp() != os.getpid())"])
    assert process.wait() == 0
