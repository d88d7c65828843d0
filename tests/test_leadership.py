"""Roles: one active, others stand by, take over from the silent and from the dead, and settle ties."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from park_spool import leadership, naming, processes
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.leadership import Candidate
from park_spool.naming import Lock

A, B = "a_1_000000", "b_1_000000"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def candidate(world: World, disk: type[Disk] = Disk) -> Candidate:
    return Candidate(world.member(disk), "spoold")


def locks(world: World) -> list[str]:
    return sorted(path.name for path in world.layout.locks.iterdir())


# the decision


@given(
    st.lists(
        st.builds(
            Lock,
            st.just("spoold"),
            st.integers(1, 3),
            st.sampled_from([A, B, "a_11_000000", "ab_1_000000"]),
            st.integers(1, 3),
        )
    )
)
def test_the_best_lock_does_not_depend_on_the_order_of_the_listing(found: list[Lock]) -> None:
    best = leadership.best(found)
    shuffled = random.Random(1).sample(found, len(found))
    assert best == leadership.best(shuffled)
    if best is not None:
        assert best.epoch == max(lock.epoch for lock in found)
        assert best.candidate == min(lock.candidate for lock in found if lock.epoch == best.epoch)


@pytest.mark.parametrize(
    ("active", "is_gone", "expected"),
    [
        (None, False, "take"),
        (Lock("spoold", 1, A, 1), False, "renew"),
        (Lock("spoold", 1, A, 1), True, "renew"),
        (Lock("spoold", 1, B, 1), False, "stand by"),
        (Lock("spoold", 1, B, 1), True, "take"),
    ],
)
def test_decisions(active: Lock | None, is_gone: bool, expected: str) -> None:
    assert leadership.decide(active, A, is_gone) == expected


# the candidates


def test_the_first_takes_it_and_the_second_stands_by(world: World) -> None:
    first, second = candidate(world), candidate(world)
    assert first.step()
    assert not second.step()
    for _ in range(100):
        world.clock.now += 3.0
        assert first.step()
        assert not second.step()
    [name] = locks(world)
    assert name.startswith("spoold.000001.h1_1_")
    assert check(world.root) == []


def test_roles_do_not_touch_each_other(world: World) -> None:
    spoold, reducer = candidate(world), Candidate(world.member(), "reduced")
    assert spoold.step()
    assert reducer.step()
    spoold.resign()
    assert [name.split(".")[0] for name in locks(world)] == ["reduced"]


def test_a_silent_one_is_replaced_after_its_lease_and_not_before(world: World) -> None:
    first, second = candidate(world), candidate(world)
    assert first.step()
    assert not second.step()
    world.clock.now += world.config.lease_expiry
    assert not second.step()
    world.clock.now += 0.1
    assert second.step()
    [name] = locks(world)
    assert name.startswith("spoold.000002.h2_2_")


def test_one_that_was_only_slow_steps_down(world: World) -> None:
    first, second = candidate(world), candidate(world)
    first.step()
    second.step()
    world.clock.now += world.config.lease_expiry + 1
    assert second.step()
    assert not first.step()
    assert not first.is_active
    assert [name for name in locks(world) if name.startswith("spoold.000001")] == []


def test_a_fresh_observer_waits_a_whole_lease(world: World) -> None:
    """It cannot know for how long the sequence has been the same before it looked."""
    candidate(world).step()
    world.clock.now += 1000.0
    late = candidate(world)
    assert not late.step()
    world.clock.now += world.config.lease_expiry + 0.1
    assert late.step()


def test_one_known_to_be_dead_on_this_host_is_replaced_at_once(world: World) -> None:
    here = processes.identity()
    if not here.boot:
        pytest.skip("this system does not say which boot and namespace it is")
    dead = replace(here, start=here.start + 1)  # its pid belongs to another process by now
    first = Candidate(replace(world.member(), identity=dead), "spoold")
    second = candidate(world)
    assert first.step()
    assert second.step()


def test_one_known_to_live_on_this_host_is_still_replaced_when_it_hangs(world: World) -> None:
    first = Candidate(replace(world.member(), identity=processes.identity(os.getpid())), "spoold")
    second = candidate(world)
    assert first.step()
    assert not second.step()
    world.clock.now += world.config.lease_expiry + 1
    assert second.step()


@pytest.mark.parametrize("torn", [b"", b"{}", b"\x00" * 200])
def test_a_torn_lock_counts_by_its_name(world: World, torn: bytes) -> None:
    first, second = candidate(world), candidate(world)
    assert first.step()
    (world.layout.locks / locks(world)[0]).write_bytes(torn)
    assert not second.step()
    world.clock.now += world.config.lease_expiry + 1
    assert second.step()


def test_two_that_take_the_same_epoch_settle_on_the_smaller_name(world: World) -> None:
    """Both listed nothing, then both published: before the first one's rename the second does all of its step."""
    rival = candidate(world)
    turns = [rival]

    class Overtaken(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "rename" and path.parent == world.layout.locks and turns:
                assert turns.pop().step()

    first = Candidate(replace(world.member(Overtaken), name="h0_1_000000"), "spoold")
    assert first.step()
    assert [naming.parse_lock(name).epoch for name in locks(world)] == [1, 1]  # type: ignore[union-attr]
    world.clock.now += world.config.lease_renew
    assert not rival.step()
    for _ in range(20):
        world.clock.now += world.config.lease_renew
        assert first.step()
        assert not rival.step()
    first.resign()
    world.clock.now += world.config.lease_renew
    assert rival.step()
    rival.resign()
    assert locks(world) == []


def test_the_larger_name_of_a_tie_stands_by_at_its_second_look(world: World) -> None:
    """The last to publish looks once more before it believes that it is the active one."""
    rival = Candidate(replace(world.member(), name="a0_1_000000"), "spoold")

    class Overtaken(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "rename" and path.parent == world.layout.locks and not rival.is_active:
                assert rival.step()

    assert not candidate(world, Overtaken).step()
    assert rival.is_active


def test_resigning_lets_a_standby_take_over_at_once(world: World) -> None:
    first, second = candidate(world), candidate(world)
    first.step()
    second.step()
    first.resign()
    assert locks(world) == []
    assert not first.is_active
    assert second.step()
    second.resign()
    second.resign()


def test_renewing_leaves_one_name(world: World) -> None:
    first = candidate(world)
    for _ in range(10):
        first.step()
        world.clock.now += world.config.lease_renew
        assert len(locks(world)) == 1
    assert locks(world)[0].endswith(".000000010")


def test_strangers_among_the_locks_are_left_alone(world: World) -> None:
    (world.layout.locks / "README").touch()
    first = candidate(world)
    first.step()
    first.resign()
    assert locks(world) == ["README"]
    assert check(world.root) == ["locks/README: no such name is known there; nobody will ever look at it"]


@pytest.mark.parametrize("seed", range(20))
def test_whoever_freezes_there_is_soon_one_again(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed=seed)
    choose = random.Random(seed)
    candidates = [candidate(world) for _ in range(4)]
    for _ in range(30):
        for one in choose.sample(candidates, choose.randint(1, 4)):
            one.step()
        world.clock.now += choose.choice((0.5, 5.0, 40.0))
    for _ in range(20):
        for one in candidates:
            one.step()
        world.clock.now += 5.0
    assert sum(one.is_active for one in candidates) == 1
    assert check(world.root) == []
