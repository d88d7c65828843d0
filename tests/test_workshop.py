"""Work that is not wanted any more, or that a node does not finish: cancelled, closed, deleted, given back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from slow_runner import SlowRunner, answers, held, names, slow_node, waiting
from world import Killed, World, dying_disk, state

from park_spool import controls, naming
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.running.node import Node


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 5, joblist: int = 1) -> Unit:
    return Unit(sid, 1, joblist, start, stop)


def working(world: World, disk: type[Disk] = Disk) -> tuple[str, Node, SlowRunner]:
    """A node that runs a unit of four jobs."""
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world, disk=disk)
    node.step()
    assert runner.starts == 1
    return sid, node, runner


def say(world: World, sid: str, verb: str) -> None:
    controls.say(world.member(), world.layout.session(sid), verb, "anna")


def look(world: World, node: Node, count: int = 2) -> None:
    for _ in range(count):
        world.clock.now += world.config.control_seconds
        node.step()


# controls


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_cancelling_kills_what_runs_and_keeps_what_is_done(world: World, verb: str) -> None:
    sid, node, runner = working(world)
    runner.done, runner.progress = 2, '{"chisq": 7.5}'
    say(world, sid, verb)
    look(world, node, 1)
    assert runner.kills == 1
    look(world, node)
    [jobs] = answers(world).values()
    assert [(job.job, job.status) for job in jobs] == [(1, "ok"), (2, "ok"), (3, "cancelled")]
    assert (jobs[2].why, jobs[2].output, jobs[2].started) == ("cancelled while it ran", '{"chisq": 7.5}', 5000.0)
    assert held(world, node) == waiting(world) == []
    assert not node.is_busy
    assert check(world.root) == []


def test_cancelling_is_seen_within_two_seconds(world: World) -> None:
    sid, node, runner = working(world)
    say(world, sid, "cancel")
    before = world.clock.now
    while not runner.kills:
        world.clock.now += max(0.01, node.wait_seconds())
        node.step()
    assert world.clock.now - before < 2.0


def test_a_cancelled_unit_that_had_not_begun_is_dropped_without_a_word(world: World) -> None:
    sid, node, runner = working(world)
    runner.has_begun = False
    say(world, sid, "cancel")
    look(world, node)
    assert (runner.kills, held(world, node), answers(world)) == (1, [], {})


def test_a_cancelled_unit_that_was_finished_meanwhile_is_answered_whole(world: World) -> None:
    sid, node, runner = working(world)
    runner.done = 4
    say(world, sid, "cancel")
    look(world, node)
    [jobs] = answers(world).values()
    assert [job.status for job in jobs] == ["ok"] * 4


def test_a_unit_of_a_cancelled_session_is_not_started(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    say(world, sid, "cancel")
    node, [runner, _] = slow_node(world)
    world.let(node, turns=3)
    assert (runner.starts, held(world, node), waiting(world), answers(world)) == (0, [], [], {})


def test_pausing_lets_what_runs_go_on(world: World) -> None:
    sid, node, runner = working(world)
    say(world, sid, "pause")
    look(world, node, 5)
    assert runner.kills == 0


def test_what_runs_for_a_closed_session_is_stopped_and_said_nothing_of(world: World) -> None:
    sid, node, runner = working(world)
    runner.done = 2
    world.layout.session(sid).rename(world.layout.closed_session(sid))
    look(world, node)
    assert (runner.kills, held(world, node), answers(world)) == (1, [], {})


def test_a_session_that_is_opened_again_is_run(world: World) -> None:
    sid = world.admit()
    node, [runner, _] = slow_node(world)
    world.layout.session(sid).rename(world.layout.closed_session(sid))
    world.plant_ready(unit(sid), "100-096")
    node.step()
    assert (runner.starts, held(world, node)) == (0, [])
    world.layout.closed_session(sid).rename(world.layout.session(sid))
    world.plant_ready(unit(sid))
    node.step()
    assert runner.starts == 1


def test_what_runs_for_a_deleted_session_is_stopped(world: World) -> None:
    sid, node, runner = working(world)
    world.layout.tombstone(sid).touch()
    world.layout.session(sid).rename(world.layout.tmp / "gone")
    look(world, node)
    assert (runner.kills, held(world, node), answers(world)) == (1, [], {})


def test_a_session_that_cannot_be_seen_for_a_while_loses_nothing(world: World) -> None:
    """NFS: a folder may be missing from a client's sight; without a tombstone that says nothing."""
    sid, node, runner = working(world)
    world.layout.session(sid).rename(world.root / "elsewhere")
    look(world, node, 5)
    assert runner.kills == 0


def test_one_session_that_cannot_be_listed_keeps_nobody_from_the_others(world: World) -> None:
    broken, sound = world.admit(), world.admit()

    class Broken(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "listdir" and path == world.layout.session(broken) and is_broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    is_broken: list[bool] = []
    for sid in (broken, sound):
        world.plant_ready(unit(sid))
    node, runners = slow_node(world, slots=2, disk=Broken)
    node.step()
    is_broken.append(True)
    say(world, sound, "cancel")
    look(world, node)
    assert sorted(runner.kills for runner in runners[:2]) == [0, 1]


# giving back


def test_a_unit_is_given_back_with_what_is_done_as_a_reply(world: World) -> None:
    sid, node, runner = working(world)
    runner.done = 2
    node.leave()
    assert waiting(world) == [unit(sid, 3, 5).name]
    [(name, jobs)] = answers(world).items()
    assert name == unit(sid).name
    assert [(job.job, job.status) for job in jobs] == [(1, "ok"), (2, "ok")]
    assert names(world.layout.claimed) == names(world.layout.nodes) == []
    assert check(world.root) == []


def test_a_unit_with_nothing_done_goes_back_as_it_is(world: World) -> None:
    sid, node, _ = working(world)
    node.leave()
    assert (waiting(world), answers(world)) == ([unit(sid).name], {})


def test_a_unit_with_everything_done_is_answered_whole(world: World) -> None:
    _, node, runner = working(world)
    runner.done = 4
    node.leave()
    assert waiting(world) == []
    [jobs] = answers(world).values()
    assert len(jobs) == 4


def test_killed_anywhere_while_giving_back_nothing_is_lost(tmp_path: Path) -> None:
    for number in range(30):
        world = World(tmp_path / str(number))
        disk = dying_disk(budget := [10_000])
        _, node, runner = working(world, disk)
        runner.done = 2
        budget[0] = number
        try:
            node.leave()
        except Killed:
            pass
        else:
            assert number > 6
            return
        jobs = {job.job for found in answers(world).values() for job in found}
        for path in world.root.glob("[rc]*/*/2*"):
            standing = naming.parse_unit(path.name)
            assert standing is not None
            jobs |= set(range(standing.start, standing.stop))
        assert jobs == {1, 2, 3, 4}, (number, state(world))
    raise AssertionError("more system calls than expected")


def test_a_full_disk_while_leaving_keeps_the_claim_for_others_to_take_back(world: World) -> None:
    class Full(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "create" and path.parent.parent == world.layout.ready:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    sid, node, runner = working(world, Full)
    runner.done = 2
    node.leave()
    assert held(world, node) == [unit(sid).name]
    assert answers(world) == {}


def test_files_owner_and_terms_reach_the_runner(world: World) -> None:
    sid, node, runner = working(world)
    assert runner.assignment is not None
    assert runner.assignment.kept == world.layout.kept(sid)
    assert runner.assignment.tmp == world.layout.tmp
    assert runner.assignment.owner == f"{node.member.name}.slot0"
