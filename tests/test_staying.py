"""How long a node stays: without work, without a master, until its time is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import ScriptedRunner, World

from park_spool import leadership, wishes
from park_spool.naming import Unit
from park_spool.running.node import Node
from park_spool.running.report import About
from park_spool.running.staying import MASTER, Stay, Staying


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heartbeat_seconds=5.0)


def staying(world: World, **stay: float) -> Staying:
    return Staying(Stay(**stay), world.clock.now, world.config.drain_seconds, world.config.heartbeat_seconds)


def pass_time(world: World, one: Staying, seconds: float, *actors: Any) -> str | None:
    member = world.member()
    for _ in range(int(seconds)):
        world.clock.now += 1.0
        for actor in actors:
            actor.step()
        one.look(member)
    return one.why_leave(world.clock.now)


def test_a_node_stays_for_ever_unless_it_is_told_otherwise(world: World) -> None:
    one = staying(world)
    assert pass_time(world, one, 10_000) is None
    assert one.wake_at(world.clock.now) is None


def test_without_work_and_master_it_leaves(world: World) -> None:
    one = staying(world, linger=60.0)
    assert pass_time(world, one, 59) is None
    assert one.wake_at(world.clock.now) == world.clock.now + 1.0
    assert pass_time(world, one, 1) == "it had no work and saw no master for 60 s"


def test_a_master_that_renews_its_lock_keeps_it_and_one_that_died_does_not(world: World) -> None:
    one, master = staying(world, linger=60.0), leadership.Candidate(world.member(), MASTER)
    assert pass_time(world, one, 300, master) is None
    assert pass_time(world, one, 54) is None, "the lock that was left behind is not the last sign of life"
    assert pass_time(world, one, 10) is not None


def test_work_keeps_it_and_other_roles_do_not(world: World) -> None:
    one, spoold = staying(world, linger=60.0), leadership.Candidate(world.member(), "spoold")
    assert pass_time(world, one, 50, spoold) is None
    one.note_work(world.clock.now)
    assert pass_time(world, one, 50, spoold) is None
    assert pass_time(world, one, 11, spoold) is not None


def test_without_work_for_idle_seconds_it_leaves_whatever_master_lives(world: World) -> None:
    one, master = staying(world, idle=30.0), leadership.Candidate(world.member(), MASTER)
    assert pass_time(world, one, 29, master) is None
    assert pass_time(world, one, 1, master) == "it had no work for 30 s"


def test_before_its_time_is_over_it_claims_nothing_more_then_gives_back(world: World) -> None:
    one = staying(world, lifetime=1000.0)
    start = world.clock.now
    assert (one.claims_until, one.gives_back_at) == (start + 965.0, start + 985.0)
    assert one.why_leave(start + 964.0) is None
    assert one.why_leave(start + 965.0) == "its 1000 s are nearly over"
    assert one.time_left(start + 965.0) == 20.0


def node(world: World) -> Node:
    return Node(world.member(), [ScriptedRunner()], world.root)


def test_a_node_claims_no_job_that_would_not_fit(world: World) -> None:
    sid = world.admit(many=2, few=1)
    unit = Unit(sid, 1, 1, 1, 2)
    world.plant_ready(unit)
    one = node(world)
    one.shop.choice.times.learn(unit, 50.0)
    one.shop.choice.ends_at = world.clock.now + 40.0
    one.step()
    assert not one.is_busy
    one.shop.choice.ends_at = world.clock.now + 60.0
    assert one.shop.claim()


def test_a_stop_notice_is_as_sigterm(world: World) -> None:
    one = node(world)
    one.step()
    (world.layout.notices / wishes.notice_name(one.member.name, "stop")).touch()
    world.clock.now += 10.0
    one.step()
    assert one.duty.draining == "it was told to stop"
    assert one.duty.deadline == world.clock.now + world.config.drain_seconds
    assert one.is_done
    one.leave()
    assert list(world.layout.nodes.iterdir()) == list(world.layout.notices.iterdir()) == []


def test_a_node_that_starts_after_its_master_was_told_to_stop_leaves_at_once(world: World) -> None:
    master = world.member().name
    world.plant_ready(Unit(world.admit(many=2, few=1), 1, 1, 1, 2))
    (world.layout.notices / wishes.notice_name(master, "stop")).touch()
    about = About(alias="n1", started_by={"how": "up", "master": master})
    one = Node(world.member(), [ScriptedRunner()], world.root, about)
    one.step()
    assert (one.duty.draining, one.is_busy, one.is_done) == ("it was told to stop", False, True)


def test_a_notice_to_nobody_is_removed(world: World) -> None:
    spoold, one = world.spoold(), node(world)
    one.step()
    for name in ("h9000_9000_000000", one.member.name):
        (world.layout.notices / wishes.notice_name(name, "bad")).touch()
    (world.layout.notices / wishes.away_name("n4")).touch()
    world.let(spoold, one, turns=500)
    left = {path.name for path in world.layout.notices.iterdir()}
    assert left == {f"{one.member.name}.bad", "n4.away"}
