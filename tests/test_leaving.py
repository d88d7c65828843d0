"""A node that is told to stop, drained, found bad, or not wanted on its machine: what it still does, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest
from slow_runner import answers, held, names, report, said, slow_node, waiting
from world import World

from park_spool.check import check
from park_spool.naming import Unit
from park_spool.running.politeness import PATIENCE


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2) -> Unit:
    return Unit(sid, 1, 1, start, stop)


def test_a_node_that_is_told_to_stop_finishes_what_it_can_and_claims_nothing(world: World) -> None:
    sid = world.admit()
    for job in (1, 2, 3):
        world.plant_ready(unit(sid, job, job + 1))
    node, [quick, slow, _] = slow_node(world, slots=2)
    node.step()
    node.drain(10.0)
    quick.is_finished = True
    for _ in range(9):
        node.step()
        assert not node.is_done
        world.clock.now += 1.0
    assert list(answers(world)) == [unit(sid, 1, 2).name]
    assert waiting(world) == [unit(sid, 3, 4).name]
    assert report(world, node)["state"] == "draining"
    world.clock.now += 1.0
    node.step()
    assert (node.is_done, slow.kills, quick.kills) == (True, 1, 0)
    node.leave()
    assert waiting(world) == [unit(sid, 2, 3).name, unit(sid, 3, 4).name]
    assert names(world.layout.nodes) == names(world.layout.claimed) == []
    assert check(world.root) == []


def test_a_node_with_nothing_to_do_is_done_at_once(world: World) -> None:
    node, _ = slow_node(world)
    node.step()
    node.drain(10.0)
    assert node.is_done


def test_a_node_wakes_in_time_to_give_back(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, _ = slow_node(world)
    node.step()
    node.drain(0.3)
    assert node.wait_seconds() <= 0.3


def test_a_drained_node_takes_its_time(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    node.step()
    said(world, node, "drain", by="anna", at=5000.0)
    world.clock.now += 2 * world.config.control_seconds
    node.step()
    world.plant_ready(unit(sid, 2, 3))
    world.let(node, turns=100, tick=60.0)
    assert (held(world, node), runner.kills, node.is_done) == ([unit(sid).name], 0, False)
    assert (report(world, node)["state"], report(world, node)["why"]) == ("draining", "it is drained")
    runner.is_finished = True
    node.step()
    assert node.is_done
    node.leave()
    assert names(world.layout.nodes) == []
    assert waiting(world) == [unit(sid, 2, 3).name]


def test_on_a_shared_disk_a_notice_is_seen_with_the_heartbeat(tmp_path: Path) -> None:
    world = World(tmp_path, is_shared=True)
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, _ = slow_node(world)
    node.step()
    said(world, node, "drain")
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert not node.duty.may_claim


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"why": "30 jobs failed here that succeeded elsewhere"}', "30 jobs failed here that succeeded elsewhere"),
        ("", "many jobs failed here that succeeded elsewhere"),
        ("[]", "many jobs failed here that succeeded elsewhere"),
    ],
)
def test_a_bad_node_claims_nothing_more_and_says_why(world: World, text: str, why: str) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    node.step()
    (world.layout.notices / f"{node.member.name}.bad").write_text(text)
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    world.plant_ready(unit(sid, 2, 3))
    runner.is_finished = True
    world.let(node, turns=5)
    assert (list(answers(world)), waiting(world)) == ([unit(sid).name], [unit(sid, 2, 3).name])
    assert (report(world, node)["state"], report(world, node)["why"]) == ("bad", why)
    assert not node.is_done


def test_a_bad_node_is_still_bad_after_it_was_fenced(world: World) -> None:
    sid = world.admit()
    node, _ = slow_node(world)
    node.step()
    old = node.member.name
    said(world, node, "bad", why="it is bad")
    world.layout.claims(old).rename(world.layout.expired(old))
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert node.member.name != old
    world.plant_ready(unit(sid))
    world.let(node, turns=5)
    assert held(world, node) == []
    assert report(world, node)["state"] == "bad"
    left = names(world.layout.nodes) + names(world.layout.notices)
    assert [name for name in left if name.startswith(old)] == []


def test_notices_to_others_are_not_ones_own(world: World) -> None:
    sid = world.admit()
    node, _ = slow_node(world)
    node.step()
    for verb in ("drain", "bad"):
        (world.layout.notices / f"h9_9_000000.{verb}").write_text("{}")
    world.plant_ready(unit(sid))
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert held(world, node) == [unit(sid).name]
    node.leave()
    assert names(world.layout.nodes) == []
    assert names(world.layout.notices) == ["h9_9_000000.bad", "h9_9_000000.drain"]


def test_who_wants_the_machine_back_gets_it(world: World) -> None:
    said_by_somebody: list[str] = []
    node, [runner, second, _] = slow_node(
        world, slots=2, objection=lambda now: said_by_somebody[-1] if said_by_somebody else None
    )
    sid = world.admit(many=9)
    world.plant_ready(unit(sid, 1, 5))
    node.step()
    runner.done = 2
    said_by_somebody.append("others use 3.1 of 4 CPUs")
    world.plant_ready(unit(sid, 6, 7))
    until = world.clock.now + PATIENCE * world.config.drain_seconds
    while world.clock.now + 1.0 < until:
        node.step()
        world.clock.now += 1.0
    assert (held(world, node), runner.kills, second.starts) == ([unit(sid, 1, 5).name], 0, 0)
    assert (report(world, node)["state"], report(world, node)["why"]) == ("waiting", "others use 3.1 of 4 CPUs")
    world.clock.now += 1.0
    node.step()
    assert (held(world, node), runner.kills) == ([], 1)
    assert waiting(world) == [unit(sid, 3, 5).name, unit(sid, 6, 7).name]
    assert list(answers(world)) == [unit(sid, 1, 5).name]
    assert not node.is_done
    said_by_somebody.clear()
    node.step()
    assert (held(world, node), waiting(world)) == ([unit(sid, 3, 5).name, unit(sid, 6, 7).name], [])


def test_a_unit_that_was_not_begun_goes_back_at_once(world: World) -> None:
    stray = Unit("20261123-025532-zzzz", 1, 1, 1, 2)
    world.plant_ready(stray)
    node, _ = slow_node(world)
    node.step()
    assert held(world, node) == [stray.name]
    node.drain(60.0)
    node.step()
    assert (waiting(world), node.is_done) == ([stray.name], True)
