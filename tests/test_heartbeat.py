"""What a heartbeat says, how often it comes, and what an idle node costs a shared file system."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from slow_runner import report, slow_node
from world import World

from park_spool import config
from park_spool.atomic import Disk
from park_spool.naming import Unit
from park_spool.running import report as reports
from park_spool.running.heartbeat import PROGRESS_SECONDS
from park_spool.running.host import Host
from park_spool.running.report import About

KEYS = {"node", "identity", "at", "seq", "host", "system", "version", "python", "versions", "cpus", "busy", "tags"}
KEYS |= {"held", "running", "job_seconds", "progress", "state", "why", "memory_limit", "warnings", "alias"}
KEYS |= {"started_by"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2) -> Unit:
    return Unit(sid, 1, 1, start, stop)


def test_every_key_is_said_and_documented(world: World) -> None:
    node, _ = slow_node(world, about=About(("n4", "gpu"), reports.versions(), ("slow",), 1000, Host()))
    node.step()
    found = report(world, node)
    assert found.keys() == KEYS | {"load", "memory"}
    assert (found["tags"], found["warnings"], found["memory_limit"]) == (["n4", "gpu"], ["slow"], 1000)
    assert found["versions"]["numpy"]
    assert len(found["load"]) == 3
    assert found["memory"]["total"] > 0
    page = (Path(__file__).parent.parent / "docs" / "nodes.md").read_text(encoding="utf-8")
    assert [key for key in found if f"`{key}`" not in page] == []


def test_what_runs_is_said_with_the_seconds_so_far(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, _ = slow_node(world)
    node.step()
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    found = report(world, node)
    assert found["running"] == {unit(sid).name: world.config.heartbeat_seconds}
    assert (found["state"], found["why"], found["progress"]) == ("working", None, [])


def test_progress_is_told_soon_and_not_too_often(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid, 1, 4))
    node, [runner, _] = slow_node(world)
    node.step()
    runner.done, runner.began_at = 1, node.member.wall()
    beats = 0
    for step in range(100):
        runner.progress = f'{{"chisq": {100 - step}}}'
        world.clock.now += 0.1
        before = node._beat.seq
        node.step()
        beats += node._beat.seq - before
    assert 4 <= beats <= 10.0 / PROGRESS_SECONDS
    [entry] = report(world, node)["progress"]
    assert (entry["sid"], entry["group"], entry["joblist"], entry["job"]) == (sid, 1, 1, 2)
    assert entry["chisq"] < 30
    assert entry["line"] == f'{{"chisq": {entry["chisq"]:g}}}'
    assert entry["started"] == runner.began_at
    assert entry["seconds"] > 7.0


def test_progress_that_stands_still_hurries_nobody(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    node.step()
    runner.progress = '{"chisq": 5}'
    world.let(node, turns=90, tick=0.1)
    assert node._beat.seq == 2


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"chisq": 5}', '{"chisq": 5}'),
        ('<reply chisq="5"/>', '<reply chisq="5"/>'),
        ('{"chisq": 5, "curve": "' + "x" * 10_000 + '"}', '{"chisq": 5.0}'),
        ("fitting...", None),
    ],
)
def test_a_line_of_progress_is_one_that_can_be_read_and_is_short(world: World, line: str, shown: str | None) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    node.step()
    runner.progress = line
    world.let(node, turns=60, tick=0.1)
    assert [entry["line"] for entry in report(world, node)["progress"]] == ([shown] if shown else [])


def test_a_job_that_has_only_begun_says_nothing_yet(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    runner.progress, runner.began_at = '{"chisq": 5}', node.member.wall()
    node.step()
    world.clock.now += 0.5
    node._beat.hurry(0.1)
    node.step()
    assert report(world, node)["progress"] == []


class Counting(Disk):
    """Counts the calls that a file server would see, less the bytes that are written."""

    calls: Counter[str]

    def step(self, call: str, path: Path) -> None:
        if call != "write":
            type(self).calls[call] += 1


def shared(tmp_path: Path) -> World:
    return World(tmp_path, is_shared=True, **config._defaults(shared=True))


def test_an_idle_node_asks_a_shared_file_system_less_than_once_a_second(tmp_path: Path) -> None:
    world = shared(tmp_path)
    disk = type("Counted", (Counting,), {"calls": Counter()})
    node, _ = slow_node(world, disk=disk)
    node.step()
    disk.calls.clear()
    begin = world.clock.now
    while world.clock.now - begin < 600.0:
        wait = node.wait_seconds()
        assert 0 < wait <= 1.5, "a claim comes within a second and a half of the offer"
        world.clock.now += wait
        node.step()
    assert disk.calls.total() < 600, disk.calls
    sid = world.admit()
    world.plant_ready(unit(sid))
    world.clock.now += node.wait_seconds()
    node.step()
    assert node.is_busy


def test_a_node_that_claims_after_a_long_rest_says_so_at_once(tmp_path: Path) -> None:
    """RACE: an idle one is seldom heard from; one with units in hand must be heard from every heartbeat."""
    world = shared(tmp_path)
    node, _ = slow_node(world)
    node.step()
    world.clock.now += 2 * world.config.heartbeat_seconds
    node.step()
    assert node._beat.seq == 1
    world.plant_ready(unit(world.admit()))
    node.step()
    assert node.wait_seconds() == 0.0
    node.step()
    assert node._beat.seq == 2
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert node._beat.seq == 3
