"""The crash test: the whole story, with the process killed before the n-th change of the spool, for every n.

Admission, offers, claims, replies, a job that fails once, a node that dies holding claims, reducing, retiring,
closing. After each kill a fresh process takes the dead one's place; in the end nothing is lost, nothing is counted
twice, and the
spool is legal.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from world import Actors, World, dying_disk, run_until_closed, state

from park_spool.atomic import Disk
from park_spool.check import check

MANY, FEW = 4, 2
QUICK = {
    "heartbeat_seconds": 2.0,
    "unit_lifetime": 6.0,
    "claim_expiry": 12.0,
    "lease_renew": 1.0,
    "lease_expiry": 5.0,
    "audit_seconds": 6.0,
}
JOBS = {(1, job) for job in range(1, MANY + 1)} | {(2, job) for job in range(1, FEW + 1)}


def fails_once(joblist: int, job: int, attempt: int) -> str:
    return "failed" if (joblist, job, attempt) == (2, 1, 0) else "ok"


def story(root: Path, disk: type[Disk]) -> tuple[World, Actors]:
    """Run the story to its end with this disk under every actor."""
    world = World(root, seed=1, **QUICK)
    world.script = fails_once
    world.submit(MANY, FEW)
    actors = Actors(makers(world, disk))
    run_until_closed(world, actors)
    return world, actors


def makers(world: World, disk: type[Disk]) -> dict[str, Callable[[], Any]]:
    return {
        "spoold": lambda: world.spoold(disk),
        "doomed": lambda: Doomed(world, disk),
        "node": lambda: world.node(disk),
        "reduced": lambda: world.reducer(disk),
    }


class Doomed:
    """A node that claims once and is then silent for ever: others must take its units back."""

    def __init__(self, world: World, disk: type[Disk]) -> None:
        self._node = world.node(disk)
        self._is_dead = any(world.layout.claimed.glob("*/2*")) or any(world.layout.closed.iterdir())

    def step(self) -> bool:
        if not self._is_dead:
            self._node.step()
            self._is_dead = bool(self._node.is_busy)
        return False


def changes(root: Path) -> int:
    """Count the changes of the spool in one undisturbed story."""
    left = [10**9]
    story(root, dying_disk(left))
    return 10**9 - left[0]


def assert_whole(world: World) -> None:
    assert world.counted() == dict.fromkeys(JOBS, "ok")
    assert world.bundled() == JOBS
    assert check(world.root) == [], state(world)
    assert len(world.rows("sessions")) == 1
    assert not any(world.layout.quarantine.iterdir())


def test_undisturbed_story(tmp_path: Path) -> None:
    world, actors = story(tmp_path, Disk)
    assert_whole(world)
    assert actors.kills == 0
    assert any(world.layout.claimed.glob("*.expired")) or not any(world.layout.claimed.glob("*/2*"))
    [row] = world.rows("attempts")
    assert row[1:5] == (1, 2, 1, 0)


@pytest.mark.parametrize("shard", range(8))
def test_killed_before_every_change(tmp_path: Path, shard: int) -> None:
    total = changes(tmp_path / "count")
    assert total > 100
    for number in range(shard, total, 8):
        world, actors = story(tmp_path / str(number), dying_disk([number]))
        assert actors.kills == 1, number
        assert_whole(world)


def forgetting_disk(left: list[int], written: set[Path]) -> type[Disk]:
    """A Disk class that dies as `dying_disk` does, and notes every file that no fsync made durable."""

    class Forgetting(dying_disk(left)):  # type: ignore[misc]
        def create(self, path: Path, data: bytes = b"") -> bool:
            written.add(path)
            return bool(super().create(path, data))

        def publish(self, path: Path, data: bytes, durable: bool = False) -> None:
            super().publish(path, data, durable)
            if not durable:
                written.add(path)

    return Forgetting


def cut_power(written: set[Path], choose: random.Random) -> None:
    """Do to files that were never synced what a power cut may: lose, empty or tear any of them."""
    for path in sorted(path for path in written if path.is_file()):
        match choose.choice(("kept", "lost", "empty", "torn")):
            case "lost":
                path.unlink()
            case "empty":
                path.write_bytes(b"")
            case "torn":
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def clear_quarantine(world: World) -> None:
    for path in world.layout.quarantine.iterdir():
        path.unlink()


@pytest.mark.parametrize("shard", range(4))
def test_power_cut_before_every_fifth_change(tmp_path: Path, shard: int) -> None:
    """All actors die at once, and what was never synced is lost, empty or torn: it costs time, never a job."""
    total = changes(tmp_path / "count")
    for number in range(shard * 5, total, 20):
        world = World(tmp_path / str(number), seed=1, **QUICK)
        world.script = fails_once
        world.submit(MANY, FEW)
        written: set[Path] = set()
        before = Actors(makers(world, forgetting_disk([number], written)))
        while not before.kills:
            before.step()
            world.clock.now += 0.7
        cut_power(written, random.Random(number))
        survivors = makers(world, Disk)
        del survivors["doomed"]  # a job may lose its node once and its reply once, not more often than it has attempts
        run_until_closed(world, Actors(survivors))
        assert all(torn.name.endswith(".why") or torn.name.count("@") for torn in world.layout.quarantine.iterdir())
        clear_quarantine(world)
        assert_whole(world)


class InPlace(Disk):
    """Sabotage: publish writes under the final name, as a careless programmer would."""

    def publish(self, path: Path, data: bytes, durable: bool = False) -> None:
        self.step("create", path)
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            self.step("write", path)
            file.write(data[len(data) // 2 :])


def test_the_crash_test_sees_sabotage(tmp_path: Path) -> None:
    """Publishing in place must make some kill leave a spool that is not whole: the test can fail."""

    def sabotaged(number: int) -> type[Disk]:
        return type("Sabotaged", (InPlace, dying_disk([number])), {})

    left = [10**9]
    story(tmp_path / "count", type("Counted", (InPlace, dying_disk(left)), {}))
    broken = []
    for number in range(10**9 - left[0]):
        try:
            world, _ = story(tmp_path / str(number), sabotaged(number))
            assert_whole(world)
        except Exception as error:  # noqa: BLE001 (whatever breaks, it was noticed)
            broken.append((number, error))
            break
    assert broken, "the crash test did not notice that replies and sessions are written in place"
