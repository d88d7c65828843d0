"""Which units a node claims: those that suit it, a fair share of each user's, and none that is better left to others."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from slow_runner import answers, held, slow_node, waiting
from world import World

from park_spool import sealed
from park_spool.atomic import Disk
from park_spool.naming import Unit
from park_spool.running.claiming import MOST_READ
from park_spool.running.node import Node
from park_spool.running.report import About


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2, attempt: int = 0) -> Unit:
    return Unit(sid, 1, 1, start, stop, 0, attempt)


def admit(world: World, user: str, many: int = 400) -> str:
    xml = (
        "<session version='2.0.1' user='{user}'><group name='g'><reduce classname='Chisq'/><task cmd='tester/noop'/>"
        "<joblist name='many' cnt='{many}'><input x='1'/></joblist></group></session>"
    )
    sid = world.admit(xml=xml.format(user=user, many=many))
    path = world.layout.session(sid) / "session.json"
    record = json.loads(path.read_bytes())
    record["admission"]["owner"] = user  # as if the file had been hers: what is written in it does not count
    path.write_text(json.dumps(record))
    return sid


# tags and short commands


@pytest.mark.parametrize(
    ("rank", "is_claimed"),
    [
        ("100-096", True),
        ("100-096+gpu", True),
        ("100-096+n1,mine+gpu", True),
        ("100-096+big", False),
        ("100-096+n1", False),
    ],
)
def test_only_ranks_that_suit_are_claimed(world: World, rank: str, is_claimed: bool) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid), rank)
    node, _ = slow_node(world, about=About(("mine", "gpu")))
    node.step()
    assert (held(world, node) != []) is is_claimed


def test_a_node_carries_its_hosts_label(world: World) -> None:
    sid = world.admit()
    node, _ = slow_node(world)
    label = node.member.name.split("_")[0]
    world.plant_ready(unit(sid), f"100-096+{label}")
    node.step()
    assert held(world, node) == [unit(sid).name]


def test_a_busy_node_has_a_slot_left_for_short_commands(world: World) -> None:
    sid = world.admit(many=6)
    for job in range(1, 4):
        world.plant_ready(unit(sid, job, job + 1))
    node, runners = slow_node(world, slots=2)
    node.step()
    for job in range(4, 7):
        world.plant_ready(unit(sid, job, job + 1), "100-100+command")
    node.step()
    assert [runner.starts for runner in runners] == [1, 1, 1]
    assert runners[-1].unit == unit(sid, 4, 5)
    assert waiting(world) == [unit(sid, job, job + 1).name for job in (3, 5, 6)]
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    [path] = world.layout.nodes.iterdir()
    said = sealed.unseal_json(path.read_bytes())
    assert (said["cpus"], said["busy"], len(said["held"])) == (2, 2, 3)


def test_short_commands_never_take_an_ordinary_slot(world: World) -> None:
    sid = world.admit(many=3)
    for job in range(1, 4):
        world.plant_ready(unit(sid, job, job + 1), "100-100+command")
    node, runners = slow_node(world, slots=2)
    for _ in range(3):
        node.step()
    assert [runner.starts for runner in runners] == [0, 0, 1]


# what was answered


def test_an_answered_unit_that_was_lost_may_be_run_again_much_later(world: World) -> None:
    """CRASH: a power cut took the reply, and there is no other node that could run it."""
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    runner.is_finished = True
    world.let(node, turns=3)
    world.plant_ready(unit(sid))
    world.let(node, turns=20, tick=10.0)
    assert runner.starts == 1, "its reply still stands"
    [reply] = world.layout.replies.iterdir()
    reply.unlink()
    node.step()
    assert runner.starts == 2
    node.step()
    assert list(answers(world)) == [unit(sid).name]


# another node first


def failing(world: World) -> tuple[str, Node, Node]:
    """A node on which a job failed, which now waits for its second attempt, and another node."""
    world.script = lambda joblist, job, attempt: "failed"
    sid = world.admit(many=2)
    world.plant_ready(unit(sid))
    node, [runner, _] = slow_node(world)
    runner.is_finished = True
    world.let(node, turns=3)
    world.plant_ready(unit(sid, attempt=1))
    return sid, node, slow_node(world)[0]


def test_a_job_that_failed_here_is_left_to_another_node_for_a_while(world: World) -> None:
    sid, node, other = failing(world)
    other.duty.heed("nobody may claim yet", world.clock.now)
    other.step()
    other.duty.heed(None, world.clock.now)
    world.plant_ready(unit(sid, 2, 3, attempt=1))
    world.clock.now += world.config.heartbeat_seconds
    other._beat.hurry()
    other._beat.publish(other.member, other._report())
    node.step()
    assert held(world, node) == [unit(sid, 2, 3, attempt=1).name], "a job that failed elsewhere may be claimed"
    other.step()
    assert held(world, other) == [unit(sid, attempt=1).name]


def test_nobody_waits_for_others_for_ever(world: World) -> None:
    sid, node, other = failing(world)
    world.layout.ready.joinpath("100-096", unit(sid, attempt=1).name).rename(world.root / "aside")
    other.step()
    world.clock.now += 1.0
    (world.root / "aside").rename(world.layout.ready / "100-096" / unit(sid, attempt=1).name)
    node.step()
    assert waiting(world) == [unit(sid, attempt=1).name]
    world.clock.now += world.config.elsewhere_seconds
    node.step()
    assert waiting(world) == []


def test_a_node_that_is_alone_tries_again_at_once(world: World) -> None:
    _, node, _ = failing(world)
    node.step()
    assert waiting(world) == []


@pytest.mark.parametrize("state", ["draining", "bad", "waiting"])
def test_a_node_that_claims_nothing_is_no_other_node(world: World, state: str) -> None:
    sid, node, other = failing(world)
    path = world.layout.ready / "100-096" / unit(sid, attempt=1).name
    path.rename(world.root / "aside")
    other.step()
    report = {**other._report(), "state": state}
    other._beat.publish(other.member, report)
    (world.root / "aside").rename(path)
    node.step()
    assert waiting(world) == []


# fair shares


def served(world: World, node: Node, runner: object, count: int) -> Counter[str]:
    """Let a node of one slot run so many units; return how many each session had."""
    had: Counter[str] = Counter()
    for _ in range(count):
        node.step()
        [name] = held(world, node)
        had[name[:20]] += 1
        world.clock.now += 1.0
        runner.is_finished = True  # type: ignore[attr-defined]
        node._answer()
        runner.is_finished = False  # type: ignore[attr-defined]
    return had


def test_ten_sessions_of_one_user_get_no_more_than_one_of_another(world: World) -> None:
    many = [admit(world, "anna") for _ in range(10)]
    one = admit(world, "bert")
    for sid in (*many, one):
        for job in range(1, 41):
            world.plant_ready(unit(sid, job, job + 1), "100-100")
    node, [runner, _] = slow_node(world)
    had = served(world, node, runner, 60)
    assert abs(had[one] - 30) <= MOST_READ, had
    before = had[one]
    had = served(world, node, runner, 20)
    assert abs(had[one] - 10) <= 1, (before, had)


def test_within_a_user_the_first_comes_first(world: World) -> None:
    first, second = sorted([admit(world, "anna"), admit(world, "anna")])
    for sid in (second, first):
        for job in (2, 1):
            world.plant_ready(unit(sid, job, job + 1), "100-100")
    node, _ = slow_node(world, slots=3)
    node.step()
    assert held(world, node) == [unit(first).name, unit(first, 2, 3).name, unit(second).name]


def test_a_session_that_cannot_be_read_counts_as_a_user_of_its_own(world: World) -> None:
    broken, sound = admit(world, "anna"), admit(world, "anna")
    (world.layout.session(broken) / "session.json").write_text("{}")
    for sid in (broken, sound):
        world.plant_ready(unit(sid), "100-100")
    node, _ = slow_node(world, slots=2)
    world.let(node, turns=2)
    assert held(world, node) == [unit(sound).name]


def test_one_session_that_stands_alone_is_not_read_to_be_claimed(world: World) -> None:
    sid = admit(world, "anna")
    reads: list[Path] = []

    class Counting(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "read" and path.name == "session.json":
                reads.append(path)

    node, [runner, _] = slow_node(world, disk=Counting)
    runner.is_finished = True
    for job in range(1, 20):
        world.plant_ready(unit(sid, job, job + 1), "100-100")
        node.step()
    assert len(reads) == 1


def test_a_unit_that_runs_much_longer_than_expected_is_charged_while_it_runs(world: World) -> None:
    slow, quick = admit(world, "anna"), admit(world, "bert")
    for sid in (slow, quick):
        for job in range(1, 9):
            world.plant_ready(unit(sid, job, job + 1), "100-100")
    node, runners = slow_node(world, slots=2)
    node.step()
    assert {name[:20] for name in held(world, node)} == {slow, quick}
    [hare] = [runner for runner in runners[:2] if runner.unit.sid == quick]
    for _ in range(6):
        hare.is_finished = True
        world.clock.now += 2.0
        node._answer()
        hare.is_finished = False
        node.step()
        assert Counter(name[:20] for name in held(world, node)) == {slow: 1, quick: 1}
