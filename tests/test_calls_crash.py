"""Calls while everything dies: before every change of the spool, at every interleaving of its system calls.

While the asker lives no call is lost, and each future is set exactly once (a second time would raise). When the asker
dies, spoold ends for it what it cannot end: nothing of it is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asking import Caller, calling_node, left_of
from stepping import Stage
from world import Actors, World, dying_disk, state

from park_spool import naming
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.client.alive import Alive
from park_spool.client.auditing import Auditing

QUICK = {
    "heartbeat_seconds": 2.0,
    "unit_lifetime": 6.0,
    "claim_expiry": 12.0,
    "lease_renew": 1.0,
    "lease_expiry": 5.0,
    "audit_seconds": 6.0,
    "control_seconds": 0.5,
}
CALLS = 16
TICK = 0.6
BAD = 4


def cube(x: int) -> int:
    if x == BAD:
        raise ValueError(f"no cube of {x}")
    return x**3


def expected(x: int) -> object:
    return f"no cube of {x}" if x == BAD else x**3


def answer(future: Any) -> object:
    error = future.exception(0)
    return future.result(0) if error is None else str(error)


@dataclass
class Programs:
    """Programs that make calls one after the other, each when the one before was killed; `sids` are their executors."""

    world: World
    sids: list[str] = field(default_factory=list)
    is_done: bool = False

    def start(self, disk: Callable[[Path, str], Disk]) -> Program:
        return Program(self, disk)


class Program:
    """Make some calls, collect them, and leave."""

    def __init__(self, all_of_them: Programs, disk: Callable[[Path, str], Disk]) -> None:
        self._all = all_of_them
        self._disk = disk
        self._caller: Caller | None = None
        self._has_left = False

    def step(self) -> bool:
        if self._all.is_done:
            return False
        if self._caller is None:
            self._caller = self._begin()
        did = self._caller.step()
        if self._caller.is_answered and not self._has_left:
            self._has_left = True
            assert [answer(future) for future in self._caller.futures] == [expected(x) for x in range(CALLS)]
            self._caller.asker.shut()
        self._all.is_done = self._caller.asker.is_over
        assert self._caller.asker._broken is None
        return did

    def _begin(self) -> Caller:
        real = Alive.begin

        def noted(alive: Alive) -> None:
            self._all.sids.append(alive._folder.name)  # known even if it dies in the middle of its beginning
            real(alive)

        Alive.begin = noted  # type: ignore[method-assign]
        try:
            caller = Caller(self._all.world, self._disk)
        finally:
            Alive.begin = real  # type: ignore[method-assign]
        caller.call(cube, *range(CALLS))
        return caller


class Doomed:
    """A node that claims a unit of several calls and is then silent for ever: others must take them back."""

    def __init__(self, world: World, disk: Callable[[Path, str], Disk]) -> None:
        self._world = world
        self._node = calling_node(world, disk, slots=1)
        self._is_dead = any(world.layout.claimed.glob("*/2*"))

    def step(self) -> bool:
        names = sorted(path.name for path in self._world.layout.ready.glob("*/*"))
        first = naming.parse_unit(names[0]) if names else None
        if not self._is_dead and (self._node._beat.seq == 0 or (first and first.size > 1)):
            self._node.step()
            self._is_dead = bool(self._node.is_busy)
        return False


def makers(world: World, programs: Programs, disk: type[Disk]) -> dict[str, Callable[[], Any]]:
    return {
        "spoold": lambda: world.spoold(disk),
        "program": lambda: programs.start(disk),
        "doomed": lambda: Doomed(world, disk),
        "node": lambda: calling_node(world, disk),
        "reduced": lambda: world.reducer(disk),
    }


def is_clean(world: World, programs: Programs) -> bool:
    return programs.is_done and not any(left_of(world, sid) for sid in programs.sids)


def story(root: Path, disk: type[Disk], limit: int = 1500) -> tuple[World, Programs, Actors]:
    """Run all of it until a program is done and nothing of any is left."""
    world = World(root, seed=1, **QUICK)
    programs = Programs(world)
    actors = Actors(makers(world, programs, disk))
    for _ in range(limit):
        actors.step()
        world.clock.now += TICK
        if is_clean(world, programs):
            return world, programs, actors
    raise AssertionError(f"not over after {limit} rounds: {state(world)}")


def assert_whole(world: World, programs: Programs) -> None:
    assert is_clean(world, programs)
    assert check(world.root) == [], state(world)
    assert world.rows("sessions") == []
    assert not any(world.layout.quarantine.iterdir())


def changes(root: Path) -> int:
    left = [10**9]
    story(root, dying_disk(left))
    return 10**9 - left[0]


def test_undisturbed_story(tmp_path: Path) -> None:
    world, programs, actors = story(tmp_path, Disk)
    assert_whole(world, programs)
    assert len(programs.sids) == 1 and actors.kills == 0


@pytest.mark.parametrize("shard", [0, 1, *(pytest.param(shard, marks=pytest.mark.prove) for shard in (2, 3))])
def test_killed_before_every_change(tmp_path: Path, shard: int) -> None:
    total = changes(tmp_path / "count")
    assert total > 100
    for number in range(shard, total, 4):
        world, programs, actors = story(tmp_path / str(number), dying_disk([number]))
        assert actors.kills == 1, number
        assert_whole(world, programs)


def forgetting_disk(left: list[int], written: set[Path]) -> type[Disk]:
    """A Disk class that dies as `dying_disk` does, and notes every file that no fsync made durable."""

    class Forgetting(dying_disk(left)):  # type: ignore[misc]
        def create(self, path: Path, data: bytes = b"") -> bool:
            written.add(path)
            return bool(super().create(path, data))

        def publish(self, path: Path, data: bytes, durable: bool = False, mode: int = 0o666) -> None:
            super().publish(path, data, durable, mode)
            if not durable:
                written.add(path)

    return Forgetting


@pytest.mark.parametrize("number", range(20, 200, 12))
def test_power_cut_on_the_spools_server(tmp_path: Path, number: int) -> None:
    """All but the asker die at once, and what was never synced is lost or torn: it costs time, and calls only fail in
    words, where arguments were torn.
    """
    world = World(tmp_path, seed=1, **QUICK)
    programs, written, choose = Programs(world), set[Path](), random.Random(number)
    others = Actors(makers(world, programs, forgetting_disk([number], written)))
    del others.make["program"], others.make["doomed"]
    caller = Caller(world, forgetting_disk([10**9], written))
    caller.call(cube, *range(CALLS))
    while not others.kills and not caller.is_answered:
        others.step()
        caller.step()
        world.clock.now += 0.35
    for path in sorted(path for path in written if path.is_file() and path.parent != world.layout.calls(caller.sid)):
        match choose.choice(("kept", "lost", "torn")):
            case "lost":
                path.unlink()
            case "torn":
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    survivors = Actors(makers(world, programs, Disk))
    del survivors.make["program"], survivors.make["doomed"]
    for _ in range(400):
        survivors.step()
        caller.step()
        world.clock.now += 0.35
    assert [answer(future) for future in caller.futures] == [expected(x) for x in range(CALLS)]
    caller.asker.shut()
    for _ in range(40):
        survivors.step()
        caller.step()
        world.clock.now += 0.35
    assert left_of(world, caller.sid) == [] and check(world.root) == []


def test_the_crash_test_sees_sabotage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An asker that never looks for what stands nowhere loses what a spoold that dies had in its memory alone."""
    monkeypatch.setattr(Auditing, "step", lambda auditing, is_paused: None)
    total = changes(tmp_path / "count")
    for number in range(total * 3 // 4, total):
        try:
            story(tmp_path / str(number), dying_disk([number]), limit=150)
        except AssertionError:
            return
    raise AssertionError("the crash test did not notice that lost calls are not offered again")


# interleavings


class Fickle:
    """A program that makes calls now and then, and takes some of them back again."""

    def __init__(self, world: World, disk: type[Disk], choose: random.Random, said: list[Caller]) -> None:
        self._caller = Caller(world, disk)
        said.append(self._caller)
        self._choose = choose
        self._left = 12
        self.cancelled = 0

    def step(self) -> bool:
        if self._left and self._choose.random() < 0.3:
            count = min(self._left, self._choose.randint(1, 4))
            self._left -= count
            self._caller.call(cube, *range(count))
        if self._caller.futures and self._choose.random() < 0.2:
            self._choose.choice(self._caller.futures).cancel()
        return self._caller.step()


@pytest.mark.parametrize("seed", range(24))
def test_interleaved_at_every_system_call(tmp_path: Path, seed: int) -> None:
    """Two spoolds, two nodes, a reducer and a program take turns; nodes and spoolds are frozen and killed."""
    # A system call takes a good part of a second here: patience is as much longer.
    world = World(tmp_path, seed=seed, **{**QUICK, "unit_lifetime": 100.0, "claim_expiry": 150.0})
    callers: list[Caller] = []
    choose = random.Random(1000 + seed)
    stage = Stage(
        world,
        seed,
        {
            "spoold": lambda disk: world.spoold(disk),
            "second spoold": lambda disk: world.spoold(disk),
            "node": lambda disk: calling_node(world, disk),
            "second node": lambda disk: calling_node(world, disk),
            "reduced": lambda disk: world.reducer(disk),
            "program": lambda disk: Fickle(world, disk, choose, callers),
        },
    )
    try:
        for turn in range(6000):
            stage.turn()
            if turn % 500 == 499 and turn < 3000:
                kill_or_freeze(stage, choose)
            if callers and callers[0].futures and callers[0].is_answered and turn > 3500:
                break
    finally:
        stage.close()
    [caller] = callers
    finish(world, caller)
    for future in caller.futures:
        try:
            assert answer(future) in {expected(x) for x in range(4)} | {expected(BAD)}
        except CancelledError:
            assert future.cancelled()
    assert left_of(world, caller.sid) == [] and check(world.root) == [], state(world)


def kill_or_freeze(stage: Stage, choose: random.Random) -> None:
    """Kill or freeze anybody but the program."""
    name = choose.choice([name for name in stage.actors if name != "program"])
    if choose.random() < 0.5:
        stage.actors[name].frozen_until = stage.world.clock.now + 170.0
    else:
        stage._end(stage.actors[name])
        stage.actors[name] = stage._start(name)


def finish(world: World, caller: Caller) -> None:
    """Let fresh daemons and the same program come to an end, its disk its own again."""
    plain = Disk(world.layout.tmp, "finish")
    for part in (
        caller.asker,
        caller.asker._entry,
        caller.asker._alive,
        caller.asker._collecting,
        caller.asker._offering,
    ):
        object.__setattr__(part._member, "disk", plain)
    actors = [world.spoold(), calling_node(world), world.reducer()]
    for _ in range(1000):
        world.let(*actors, caller, turns=1, tick=0.5)
        if caller.is_answered:
            break
    assert caller.is_answered, state(world)
    caller.asker.shut()
    world.let(*actors, caller, turns=80, tick=3.0)
