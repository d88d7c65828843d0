"""What users say, stepped at system-call level against two spoolds that offer, a node that claims, and a reducer.

Whatever the order: a session that was cancelled ends closed, one that was deleted ends gone, one that was paused and
moved about ends complete; each job counts at most once, and no unit stays behind.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from stepping import Stage
from test_interleaving import FEW, JOBS, MANY, settle
from world import World, state

from park_spool import control_requests, naming
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.errors import PermanentError, TemporaryError

SID = "20261123-025532-aaaa"
TURNS = 40_000
QUICK = {
    "claim_expiry": 12.0,
    "unit_lifetime": 6.0,
    "heartbeat_seconds": 2.0,
    "lease_renew": 1.0,
    "lease_expiry": 5.0,
    "audit_seconds": 6.0,
}


class User:
    """Says one thing after the other, each after a random number of turns."""

    def __init__(self, world: World, seed: int, verbs: tuple[str, ...], disk: type[Disk]) -> None:
        self._world, self._member = world, world.member(disk)
        self._random = random.Random(seed)
        self.verbs = list(verbs)

    def step(self) -> bool:
        if not self._world.layout.session(SID).exists() and not any(self._world.layout.closed.iterdir()):
            return False  # not admitted yet
        if self.verbs and self._random.random() < 0.02:
            self._say(self.verbs[0])
        return False

    def _say(self, wish: str) -> None:
        verb, _, argument = wish.partition(" ")
        number = int(argument) if argument else None
        with suppress(TemporaryError):  # it moves: once more
            with suppress(PermanentError):  # it is over
                control_requests.ask(self._member, SID, verb, "wwchen", number, pause=lambda seconds: None)
            del self.verbs[0]


def play(root: Path, seed: int, verbs: tuple[str, ...], is_over: Callable[[World], bool]) -> World:
    world = World(root, seed=seed, **QUICK)
    world.submit(MANY, FEW, name=naming.submitted_name(SID, "film.xml"))
    users: list[User] = []

    def user(disk: type[Disk]) -> User:
        users.append(User(world, seed, verbs, disk))
        return users[-1]

    stage = Stage(
        world,
        seed,
        {
            "spoold": world.spoold,
            "rival spoold": world.spoold,
            "node": lambda disk: world.node(disk, slots=1),
            "reducer": world.reducer,
            "user": user,
        },
    )
    try:
        for turn in range(TURNS):
            stage.turn()
            if stage.random.random() < 0.004:
                stage.freeze_somebody(stage.random.choice((3.0, 8.0, 40.0)))
            if turn % 50 == 0 and users and not users[0].verbs and is_over(world):
                break
        else:
            raise AssertionError(f"seed {seed}: not over after {TURNS} turns: {state(world)}")
        for _ in range(3000):  # whoever was frozen wakes up, and audits come by
            stage.turn()
    finally:
        stage.close()
    settle(world)
    return world


def nothing_moves(world: World) -> bool:
    spool = world.layout
    return not [*spool.claimed.glob("*/*"), *spool.ready.glob("*/*"), *spool.replies.iterdir(), *spool.inbox.iterdir()]


def is_closed(world: World) -> bool:
    return world.layout.closed_session(SID).is_dir() and nothing_moves(world)


def is_gone(world: World) -> bool:
    is_open = world.layout.session(SID).exists()
    return world.layout.tombstone(SID).exists() and not is_open and nothing_moves(world)


def assert_cancelled(world: World) -> None:
    assert set(world.counted()) <= JOBS
    assert is_closed(world), state(world)
    assert check(world.root) == [], state(world)


def assert_deleted(world: World) -> None:
    assert is_gone(world), state(world)
    assert os.listdir(world.layout.closed) == [f"{SID}.deleted"]
    assert world.counted() == {}
    assert os.listdir(world.layout.reduced) == []
    assert check(world.root) == [], state(world)


def assert_complete(world: World) -> None:
    assert world.counted() == dict.fromkeys(JOBS, "ok")
    assert check(world.root) == [], state(world)


MOVED = ("pause", "priority 5", "resume", "pause", "priority -3", "resume")
seeds = pytest.mark.parametrize("seed", range(6))
many_seeds = pytest.mark.parametrize("seed", range(1000, 1100))


@seeds
def test_a_cancel_at_any_moment_ends_the_session(tmp_path: Path, seed: int) -> None:
    assert_cancelled(play(tmp_path, seed, ("cancel",), is_closed))


@seeds
def test_a_delete_at_any_moment_removes_the_session(tmp_path: Path, seed: int) -> None:
    assert_deleted(play(tmp_path, seed, ("cancel", "delete") if seed % 2 else ("delete",), is_gone))


@seeds
def test_pausing_and_moving_lose_no_job(tmp_path: Path, seed: int) -> None:
    assert_complete(play(tmp_path, seed, MOVED, is_closed))


@pytest.mark.prove
@many_seeds
def test_many_more_orders(tmp_path: Path, seed: int) -> None:
    assert_cancelled(play(tmp_path / "cancel", seed, ("cancel",), is_closed))
    assert_deleted(play(tmp_path / "delete", seed, ("cancel", "delete") if seed % 2 else ("delete",), is_gone))
    assert_complete(play(tmp_path / "move", seed, MOVED, is_closed))
