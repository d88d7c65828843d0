"""What the reducer has done aside: one child at a time, what fails later and later, and no process left behind."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from daemons import until
from world import Clock, World

from park_spool.reducing.children import ErrandChild
from park_spool.reducing.copies import Copies
from park_spool.reducing.errands import FIRST_PAUSE, LONGEST, MOST_TRIES, SNAPSHOT, Errand, Errands

ONE, OTHER = Errand("deliver", ("a", "1")), Errand("deliver", ("b", "1"))


@dataclass
class Child:
    """A process that ends when the test says so."""

    errand: Errand
    status: int | None = None
    said: str = "no space left"
    is_killed: bool = False

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.is_killed, self.status = True, -9


@dataclass
class Home:
    clock: Clock = field(default_factory=Clock)
    children: list[Child] = field(default_factory=list)
    done: list[Errand] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.errands = Errands(self.send, self.done.append, self.clock)

    def send(self, errand: Errand) -> Child:
        self.children.append(Child(errand))
        return self.children[-1]

    def end(self, status: int) -> bool:
        self.children[-1].status = status
        return self.errands.step()

    @property
    def sent(self) -> list[Errand]:
        return [child.errand for child in self.children]


@pytest.fixture
def home() -> Home:
    return Home()


def test_one_child_at_a_time_in_the_order_of_the_wishes(home: Home) -> None:
    home.errands.want([ONE, OTHER, ONE])
    assert not home.errands.step() and home.sent == [ONE] and home.errands.is_busy
    home.errands.want([ONE])
    assert not home.errands.step() and home.sent == [ONE]
    assert home.end(0) and home.sent == [ONE, OTHER] and home.done == [ONE]
    assert home.end(0) and not home.errands.is_busy and home.done == [ONE, OTHER]
    home.errands.step()
    assert home.sent == [ONE, OTHER]


def test_what_fails_is_tried_later_and_later_and_holds_up_nobody(home: Home) -> None:
    home.errands.want([ONE, OTHER])
    home.errands.step()
    assert not home.end(1) and home.sent == [ONE, OTHER]
    home.end(0)
    pause = FIRST_PAUSE
    for number in range(3):
        home.clock.now += pause - 1
        home.errands.step()
        assert len(home.children) == 2 + number
        home.clock.now += 1
        home.errands.step()
        assert home.sent[-1] == ONE and len(home.children) == 3 + number
        home.end(1)
        pause *= 2


def test_it_is_given_up_some_day_and_said_so(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    home.errands.want([ONE])
    for _ in range(MOST_TRIES):
        home.clock.now += 2 * LONGEST
        home.errands.step()
        home.end(1)
    home.clock.now += 2 * LONGEST
    home.errands.want([ONE])
    home.errands.step()
    assert len(home.children) == MOST_TRIES
    assert f"deliver a 1 failed {MOST_TRIES} times and is not tried again: no space left" in caplog.text


def test_a_child_that_hangs_is_killed_and_one_is_left_to_the_next_reducer(home: Home) -> None:
    home.errands.want([ONE, OTHER])
    home.errands.step()
    home.clock.now += LONGEST + 1
    home.errands.step()
    assert home.children[0].is_killed
    home.errands.step()
    assert home.sent == [ONE, OTHER]
    home.errands.leave()
    assert home.children[1].is_killed and not home.errands.is_busy


def test_copies_are_made_now_and_then_of_what_has_changed(tmp_path: Path) -> None:
    world, home = World(tmp_path, snapshot_seconds=60.0), Home()
    member = world.member(archive=tmp_path / "elsewhere" / "park.sqlite")
    member.config.archive.parent.mkdir()
    member.config.archive.write_bytes(b"one")
    world.clock, copies = home.clock, Copies(member, home.errands)
    copies.step()
    home.errands.step()
    assert home.sent == [Errand(SNAPSHOT)]
    home.end(0)
    copies.done()
    for _ in range(3):
        world.clock.now += 61
        member.monotonic.now += 61  # type: ignore[attr-defined]
        copies.step()
        home.errands.step()
    assert len(home.sent) == 1  # nothing has changed
    member.config.archive.write_bytes(b"one and two")
    copies.step()
    home.errands.step()
    assert len(home.sent) == 2


def test_the_real_child_says_why_it_failed_and_leaves_with_its_sender(tmp_path: Path) -> None:
    world = World(tmp_path)
    child = ErrandChild(world.config, Errand("deliver", ("20261123-025532-k3j9", "1")))
    until(lambda: child.poll() is not None, 60, "the child's end")
    assert child.poll() != 0 and "there is no session 20261123-025532-k3j9 on the spool" in child.said
    slow = ErrandChild(world.config, Errand("deliver", ("20261123-025532-k3j9", "1")))
    slow.kill()
    assert slow.poll() is not None
    assert os.listdir(world.layout.tmp) == []
