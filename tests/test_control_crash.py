"""The crash test of what users say: a story with every wish, the process killed before the n-th change, for every n.

Three sessions: one is paused, moved, resumed, closed and then retried; one is cancelled; one is deleted. spoold, nodes
and reducer are killed, and so is the user in the middle of a wish: saying it again carries it out. In the end nothing
of the first is lost or counted twice, the second is closed with what it had, the third is gone.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_crash import QUICK, Doomed
from world import Actors, World, dying_disk, state

from park_spool import control_requests, controls, naming, sealed, wishes
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.errors import ParkError
from park_spool.wishes import parse_control

KEPT, CANCELLED, DELETED = "20261123-025532-aaaa", "20261123-025532-bbbb", "20261123-025532-cccc"
MANY, FEW = 4, 2
JOBS = {(1, job) for job in range(1, MANY + 1)} | {(2, job) for job in range(1, FEW + 1)}
SCRIPT = (("pause", None), ("priority", 7), ("resume", None))


class User:
    """Wants one thing after the other, as far as the spool shows that it has not been said; remembers nothing."""

    def __init__(self, world: World, disk: type[Disk]) -> None:
        self._world = world
        self._member = world.member(disk)
        self._turns = 0

    def step(self) -> bool:
        self._turns += 1
        if self._turns % 3 == 0:
            with suppress(ParkError, FileNotFoundError):  # it is not there yet, or not any more
                self._steer()
            for sid, verb in ((CANCELLED, "cancel"), (DELETED, "delete")):
                with suppress(ParkError):
                    self._end(sid, verb)
        return False

    def _steer(self) -> None:
        spool = self._world.layout
        if spool.closed_session(KEPT).is_dir() and not has_retry(self._world):
            self._ask_again()
        elif spool.closed_session(KEPT).is_dir() and self._is_wish_left_behind():
            control_requests.reopen(self._member, KEPT)
        elif spool.session(KEPT).is_dir():
            said = [one.verb for one in map(parse_control, os.listdir(spool.session(KEPT))) if one]
            fresh = [wish for wish in SCRIPT if wish[0] not in said]
            if fresh:
                verb, argument = fresh[0]
                control_requests.ask(self._member, KEPT, verb, "wwchen", argument, pause=lambda seconds: None)

    def _ask_again(self) -> None:
        control_requests.ask_again(self._member, KEPT, {(1, 2): [(1, 2)]}, "wwchen", pause=lambda seconds: None)

    def _is_wish_left_behind(self) -> bool:
        """Whether the user died between the retry and the opening: nobody has answered that round."""
        return (2, 1, 1) not in answered(self._world)

    def _end(self, sid: str, verb: str) -> None:
        """End a session when it has done something, so that it is in the middle of its work."""
        if any(name.startswith(sid) for name in os.listdir(self._world.layout.reduced)):
            control_requests.ask(self._member, sid, verb, "wwchen", pause=lambda seconds: None)


def has_retry(world: World) -> bool:
    folders = (world.layout.session(KEPT), world.layout.closed_session(KEPT))
    return any(wishes.parse_retry(path.name) for folder in folders for path in folder.glob("retry.*"))


def answered(world: World) -> set[tuple[int, int, int]]:
    """(job list, job, round) of what the bundles of the kept session hold."""
    found = set()
    for path in world.layout.bundles(KEPT).glob("*"):
        for name, data in sealed.unbind(path.read_bytes()):
            reply = naming.parse_reply(name)
            assert reply is not None
            lines = sealed.unseal(data).splitlines()[1:]
            found |= {(reply[0].joblist, json.loads(line)["job"], reply[0].round) for line in lines}
    return found


def makers(world: World, disk: type[Disk]) -> dict[str, Callable[[], Any]]:
    return {
        "spoold": lambda: world.spoold(disk),
        "user": lambda: User(world, disk),
        "doomed": lambda: Doomed(world, disk),
        "node": lambda: world.node(disk, slots=1),
        "reduced": lambda: world.reducer(disk),
    }


def story(root: Path, disk: type[Disk]) -> tuple[World, Actors]:
    world = World(root, seed=1, **QUICK)
    # One job fails as long as nobody asked for it again: at every attempt of round 0.
    world.script = lambda joblist, job, attempt: "failed" if (joblist, job) == (2, 1) and not has_retry(world) else "ok"
    for sid in (KEPT, CANCELLED, DELETED):
        world.submit(MANY, FEW, name=naming.submitted_name(sid, "film.xml"))
    actors = Actors(makers(world, disk))
    for _ in range(1500):
        actors.step()
        world.clock.now += 0.7
        if is_over(world):
            break
    for _ in range(30):  # what is owed: tallies, rows of the deleted, empty folders
        actors.step()
        world.clock.now += 0.7
    return world, actors


def is_over(world: World) -> bool:
    spool = world.layout
    if not (spool.closed_session(KEPT).is_dir() and (2, 1, 1) in answered(world)):
        return False
    busy = [*spool.sessions.glob("2*"), *spool.sessions.glob(".2*"), *spool.replies.iterdir()]
    held = [*spool.claimed.glob("*/*"), *spool.ready.glob("*/*")]
    return not busy and not held and spool.tombstone(DELETED).exists()


def counted(world: World) -> dict[str, Counter[tuple[int, int, str]]]:
    found: dict[str, Counter[tuple[int, int, str]]] = {}
    with sqlite3.connect(world.config.archive) as connection:
        for sid, *job in connection.execute("SELECT sid, joblist_number, job_number, status FROM jobs"):
            found.setdefault(sid, Counter())[tuple(job)] += 1
    connection.close()
    return found


def states(world: World) -> dict[str, str]:
    with sqlite3.connect(world.config.archive) as connection:
        found = dict(connection.execute("SELECT sid, state FROM sessions").fetchall())
    connection.close()
    return found


def assert_as_asked(world: World) -> None:
    rows = counted(world)
    assert rows[KEPT] == {(*job, "ok"): 1 for job in JOBS}, state(world)
    assert set(rows.get(CANCELLED, {}).values()) <= {1}
    assert {job[:2] for job in rows.get(CANCELLED, {})} <= JOBS
    assert DELETED not in rows
    assert states(world) == {KEPT: "done", CANCELLED: "cancelled", DELETED: "deleted"}
    assert sorted(os.listdir(world.layout.closed)) == [KEPT, CANCELLED, f"{DELETED}.deleted"]
    assert sorted(os.listdir(world.layout.reduced)) == [KEPT, CANCELLED]
    assert os.listdir(world.layout.sessions) == ["closed"]
    assert check(world.root) == [], state(world)


def test_undisturbed_story(tmp_path: Path) -> None:
    world, actors = story(tmp_path, Disk)
    assert_as_asked(world)
    assert actors.kills == 0
    said = controls.read(os.listdir(world.layout.closed_session(KEPT)))
    assert (said.priority, said.is_paused) == (7, False)


def changes(root: Path) -> int:
    left = [10**9]
    story(root, dying_disk(left))
    return 10**9 - left[0]


def kill(root: Path, first: int, every: int) -> None:
    total = changes(root / "count")
    assert total > 200
    for number in range(first, total, every):
        world, actors = story(root / str(number), dying_disk([number]))
        assert actors.kills == 1, number
        assert_as_asked(world)


@pytest.mark.parametrize("shard", range(4))
def test_killed_before_every_eighth_change(tmp_path: Path, shard: int) -> None:
    kill(tmp_path, shard * 8 + 3, 32)


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(16))
def test_killed_before_every_change(tmp_path: Path, shard: int) -> None:
    kill(tmp_path, shard, 16)
