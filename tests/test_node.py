"""One node: claiming, answering, being fenced, and every way in which its folder and its memory can differ."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from slow_runner import SlowRunner, held, names
from world import STRANGER, Killed, World, dying_disk, state

from park_spool import naming, sealed
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.running.node import Node


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def slow_node(world: World, slots: int = 1, disk: type[Disk] = Disk) -> tuple[Node, list[SlowRunner]]:
    runners = [SlowRunner() for _ in range(slots)]
    return Node(world.member(disk), runners, scratch=world.root), runners


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, 0, attempt)


def heartbeats(world: World) -> list[str]:
    return names(world.layout.nodes)


def report(world: World) -> dict[str, object]:
    return sealed.unseal_json((world.layout.nodes / heartbeats(world)[-1]).read_bytes())


class Full(Disk):
    """A disk that is full, for some paths, while `is_full`."""

    is_full = False
    folder = ""
    number = errno.ENOSPC

    def step(self, call: str, path: Path) -> None:
        if type(self).is_full and call == "rename" and path.parent.name == self.folder:
            raise OSError(self.number, os.strerror(self.number), str(path))


def full(folder: str, number: int = errno.ENOSPC) -> type[Full]:
    return type("FullOf", (Full,), {"folder": folder, "number": number})


# the ordinary life


def test_a_unit_is_claimed_run_answered_and_dropped(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    node.step()
    assert held(world, node) == [unit(sid).name]
    assert node.is_busy
    assert names(world.layout.ready / "100-096") == []
    assert runner.assignment is not None
    assert runner.assignment.session_json == world.layout.session(sid) / "session.json"
    runner.is_finished = True
    node.step()
    assert held(world, node) == []
    assert names(world.layout.replies) == [naming.reply_name(unit(sid), node.member.name)]
    assert check(world.root) == []


def test_the_heartbeat_names_what_is_held(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, _ = slow_node(world, slots=3)
    node.step()
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    found = report(world)
    assert (found["node"], found["seq"], found["cpus"], found["busy"]) == (node.member.name, 2, 3, 1)
    assert found["held"] == [unit(sid).name]
    assert len(heartbeats(world)) == 1


def test_the_folder_stands_before_the_first_heartbeat(world: World) -> None:
    class Watching(Disk):
        def step(self, call: str, path: Path) -> None:
            if path.parent == world.layout.nodes:
                assert names(world.layout.claimed) == [self._owner]

    world.node(Watching).step()
    assert len(heartbeats(world)) == 1


def test_higher_ranks_first_then_first_in_first_out(world: World) -> None:
    sid = world.admit(many=4, few=4)
    for job in (3, 1, 2):
        world.plant_ready(unit(sid, job, job + 1))
        world.plant_ready(unit(sid, job, job + 1, joblist=2))
    node, _ = slow_node(world, slots=4)
    node.step()
    assert held(world, node) == [*(unit(sid, job, job + 1).name for job in (1, 2, 3)), unit(sid, joblist=2).name]


def test_no_more_is_claimed_than_there_are_slots(world: World) -> None:
    sid = world.admit(many=9)
    for job in range(1, 10):
        world.plant_ready(unit(sid, job, job + 1))
    node, _ = slow_node(world, slots=2)
    for _ in range(5):
        node.step()
        world.clock.now += 11.0
    assert len(held(world, node)) == 2


def test_what_is_no_unit_is_left_alone(world: World) -> None:
    world.admit()
    (world.layout.ready / "100-096").mkdir()
    (world.layout.ready / "100-096" / ".nfs0001").touch()
    (world.layout.ready / "notes").mkdir()
    (world.layout.ready / "README").touch()
    node = world.node()
    world.let(node, turns=3)
    assert names(world.layout.ready) == ["100-096", "README", "notes"]
    assert not node.is_busy


def test_losing_every_race_ends_the_listing_and_nothing_is_held(world: World) -> None:
    sid = world.admit(many=50)
    for job in range(1, 51):
        world.plant_ready(unit(sid, job, job + 1))
    tries: list[Path] = []

    class Losing(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "rename" and path.parent.parent == world.layout.claimed:
                tries.append(path)
                next((world.layout.ready / "100-096").glob(path.name)).unlink()

    node = world.node(Losing)
    node.step()
    assert 1 < len(tries) < 12
    assert not node.is_busy


# memory and folder


def test_a_claim_that_reported_an_error_is_adopted(world: World) -> None:
    """The rename happened, then the call failed, and so did the look: the unit lies there, and the node does not know."""
    sid = world.admit()
    node, [runner] = slow_node(world)
    node.step()
    world.plant_claim(unit(sid), node.member.name)
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert runner.assignment is not None
    runner.is_finished = True
    node.step()
    assert held(world, node) == []
    assert len(names(world.layout.replies)) == 1


def test_a_claim_that_it_has_answered_is_dropped_and_not_run_again(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    runner.is_finished = True
    node.step()
    node.step()
    assert len(names(world.layout.replies)) == 1
    world.plant_claim(unit(sid), node.member.name)  # its unlink reported success and did not happen
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert held(world, node) == []
    assert runner.starts == 1


def test_a_unit_offered_again_while_it_runs_here_is_run_once(world: World) -> None:
    """Two spoolds offered it: the second name lands on the first claim, in a free slot's hands."""
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, runners = slow_node(world, slots=2)
    node.step()
    world.plant_ready(unit(sid))
    for _ in range(3):
        node.step()
        world.clock.now += world.config.heartbeat_seconds
    assert sorted(runner.starts for runner in runners) == [0, 1]
    for runner in runners:
        runner.is_finished = True
    node.step()
    assert len(names(world.layout.replies)) == 1
    assert held(world, node) == []


def test_a_unit_offered_again_after_it_was_answered_here_is_dropped(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    runner.is_finished = True
    node.step()
    node.step()
    world.plant_ready(unit(sid))
    node.step()
    assert (held(world, node), runner.starts) == ([], 1)


def test_a_claim_gone_at_two_looks_stops_its_job(world: World) -> None:
    sid = world.admit()
    path = world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    node.step()
    (world.layout.claims(node.member.name) / path.name).unlink()
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert runner.kills == 0
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert runner.kills == 1
    assert not node.is_busy
    runner.is_finished = True
    node.step()
    assert names(world.layout.replies) == []


def test_a_claim_that_one_listing_missed_goes_on(world: World) -> None:
    sid = world.admit()
    path = world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    node.step()
    claim = world.layout.claims(node.member.name) / path.name
    for _ in range(3):
        claim.unlink()
        world.clock.now += world.config.heartbeat_seconds
        node.step()
        claim.touch()
        world.clock.now += world.config.heartbeat_seconds
        node.step()
    assert runner.kills == 0


# being taken for dead


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_fenced_node_kills_its_jobs_and_is_born_anew(world: World, is_removed: bool) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    node.step()
    old = node.member.name
    world.layout.claims(old).rename(world.layout.expired(old))
    if is_removed:
        (world.layout.expired(old) / unit(sid).name).unlink()
        world.layout.expired(old).rmdir()
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert runner.kills == 1
    assert node.member.name != old
    assert naming.is_node(node.member.name)
    assert [naming.parse_heartbeat(name) for name in heartbeats(world)] == [(node.member.name, 1)]
    assert held(world, node) == []
    world.plant_ready(unit(sid, 2, 3))
    node.step()
    assert held(world, node) == [unit(sid, 2, 3).name]
    assert not world.layout.claims(old).exists()


def test_a_node_that_nobody_heard_from_claims_nothing(world: World) -> None:
    """Its first heartbeat cannot be written: others would take its claims back, and it would never notice."""
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("nodes")
    disk.is_full = True
    node, [runner] = slow_node(world, disk=disk)
    for _ in range(30):
        node.step()
        world.clock.now += 10.0
    assert (held(world, node), runner.starts) == ([], 0)
    disk.is_full = False
    node.step()
    assert runner.starts == 1


def test_no_heartbeat_for_its_lifetime_stops_the_jobs_before_others_take_them_back(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("nodes")
    node, [runner] = slow_node(world, disk=disk)
    node.step()
    disk.is_full = True
    since = world.clock.now
    while runner.kills == 0:
        world.clock.now += 1.0
        node.step()
        assert world.clock.now - since < world.config.claim_expiry
    assert world.clock.now - since > world.config.unit_lifetime
    world.plant_ready(unit(sid, 2, 3))
    for _ in range(20):
        node.step()
        world.clock.now += 1.0
    assert (runner.starts, runner.kills) == (1, 1), "it went on claiming, or started what it had stopped"
    assert names(world.layout.ready / "100-096") == [unit(sid, 2, 3).name]


def test_a_node_whose_network_comes_back_goes_on_with_what_it_still_holds(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("nodes", errno.EIO)
    node, [runner] = slow_node(world, disk=disk)
    node.step()
    disk.is_full = True
    world.let(node, turns=100, tick=1.0)
    assert runner.kills == 1
    disk.is_full = False
    node.step()
    assert (runner.starts, held(world, node)) == (2, [unit(sid).name])


# answering


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE])
def test_a_reply_that_cannot_be_published_keeps_its_claim_and_is_tried_again(world: World, number: int) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("replies", number)
    disk.is_full = True
    node, [runner] = slow_node(world, disk=disk)
    runner.is_finished = True
    for _ in range(10):
        node.step()
        world.clock.now += 5.0
    assert held(world, node) == [unit(sid).name]
    assert names(world.layout.replies) == names(world.layout.tmp) == []
    assert runner.starts == 1, "the job was run again although its answer is in hand"
    disk.is_full = False
    node.step()
    assert held(world, node) == []
    assert len(names(world.layout.replies)) == 1
    assert check(world.root) == []


def test_an_answer_in_hand_does_not_keep_its_slot_from_other_work(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("replies")
    disk.is_full = True
    node, [runner] = slow_node(world, disk=disk)
    runner.is_finished = True
    node.step()
    node.step()
    world.plant_ready(unit(sid, 2, 3))
    node.step()
    assert runner.starts == 2


def test_a_mistake_in_publishing_is_not_taken_for_a_full_disk(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    disk = full("replies", errno.EACCES)
    disk.is_full = True
    node, [runner] = slow_node(world, disk=disk)
    runner.is_finished = True
    node.step()
    with pytest.raises(PermissionError):
        node.step()
    assert held(world, node) == [unit(sid).name]
    disk.is_full = False
    node.step()
    assert len(names(world.layout.replies)) == 1


def test_a_claim_that_cannot_be_dropped_is_dropped_later(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    is_broken = [True]

    class Stuck(Disk):
        def step(self, call: str, path: Path) -> None:
            if is_broken and call == "unlink" and path.parent.parent == world.layout.claimed and is_broken.pop():
                raise OSError(errno.EIO, "Input/output error", str(path))

    node, [runner] = slow_node(world, disk=Stuck)
    runner.is_finished = True
    node.step()
    node.step()
    assert held(world, node) == [unit(sid).name]
    world.clock.now += world.config.heartbeat_seconds
    node.step()
    assert held(world, node) == []
    assert runner.starts == 1


# what cannot be run


def test_units_that_no_session_has_go_aside_with_a_reason(world: World) -> None:
    sid = world.admit(many=4)
    strays = [unit(sid, 4, 6), Unit(sid, 1, 9, 1, 2), Unit(sid, 7, 1, 1, 2)]
    for stray in strays:
        world.plant_ready(stray, "100-100")
    node = world.node()
    world.let(node, turns=3)
    assert names(world.layout.quarantine) == sorted(f"{stray.name}{end}" for stray in strays for end in ("", ".why"))
    assert "expected jobs that session" in (world.layout.quarantine / f"{strays[0].name}.why").read_text()
    assert held(world, node) == []
    assert check(world.root) == []


@pytest.mark.parametrize("how", ["ready", "claimed"])
def test_units_of_a_broken_session_go_aside_and_others_go_on(world: World, how: str) -> None:
    broken, sound = world.admit(), world.admit()
    (world.layout.session(broken) / "session.json").write_text("{}")
    node, [runner] = slow_node(world)
    node.step()
    if how == "ready":
        world.plant_ready(unit(broken), "100-000")
    else:
        world.plant_claim(unit(broken), node.member.name)
    world.plant_ready(unit(sound))
    world.clock.now += world.config.heartbeat_seconds
    world.let(node, turns=3)
    assert names(world.layout.quarantine) == [unit(broken).name, f"{unit(broken).name}.why"]
    assert runner.starts == 1


def test_a_stray_of_an_unknown_session_is_let_go_after_a_while(world: World) -> None:
    """NFS: a session looked up too early stays missing for up to 30 s."""
    stray = unit("20261123-025532-zzzz")
    world.plant_ready(stray)
    node, [runner] = slow_node(world)
    node.step()
    world.let(node, turns=8, tick=10.0)
    assert held(world, node) == [stray.name]
    world.let(node, turns=3, tick=10.0)
    assert held(world, node) == []
    assert runner.starts == 0
    assert not node.is_busy


def test_a_session_that_shows_up_late_is_run(world: World) -> None:
    sid = world.admit()
    world.layout.session(sid).rename(world.root / "elsewhere")
    world.plant_ready(unit(sid))
    node, [runner] = slow_node(world)
    world.let(node, turns=5, tick=5.0)
    (world.root / "elsewhere").rename(world.layout.session(sid))
    node.step()
    assert runner.starts == 1


# leaving


def test_leaving_gives_back_what_runs_and_publishes_what_is_done(world: World) -> None:
    sid = world.admit(many=3)
    for job in (1, 2, 3):
        world.plant_ready(unit(sid, job, job + 1))
    disk = full("replies")
    disk.is_full = True
    node, runners = slow_node(world, slots=3, disk=disk)
    node.step()
    runners[0].is_finished = True
    node.step()
    disk.is_full = False
    node.leave()
    assert len(names(world.layout.replies)) == 1
    assert names(world.layout.ready / "100-096") == [unit(sid, 2, 3).name, unit(sid, 3, 4).name]
    assert names(world.layout.claimed) == names(world.layout.nodes) == []
    assert [runner.kills for runner in runners] == [0, 1, 1]
    assert check(world.root) == []


def test_leaving_before_it_was_born_or_after_it_was_fenced_does_no_harm(world: World) -> None:
    world.node().leave()
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, _ = slow_node(world)
    node.step()
    world.layout.claims(node.member.name).rename(world.layout.expired(node.member.name))
    node.leave()
    assert names(world.layout.expired(node.member.name)) == [unit(sid).name]
    assert names(world.layout.ready / "100-096") == []
    assert check(world.root) == []


def test_a_node_killed_anywhere_in_its_life_loses_no_unit(tmp_path: Path) -> None:
    for number in range(60):
        world = World(tmp_path / str(number))
        sid = world.admit(many=2, few=1)
        everything = [unit(sid), unit(sid, 2, 3), unit(sid, joblist=2)]
        for one in everything:
            world.plant_ready(one)
        node = world.node(dying_disk([number]), slots=2)
        try:
            world.let(node, turns=4)
            node.leave()
        except Killed:
            pass
        else:
            assert number > 10
            return
        answered = {naming.parse_reply(path.name)[0] for path in world.layout.replies.iterdir()}  # type: ignore[index]
        standing = {naming.parse_unit(path.name) for path in world.root.glob("[rc]*/*/2*")}
        assert answered | standing == set(everything), (number, state(world))
        assert check(world.root) == []
    raise AssertionError("more system calls than expected")


def test_another_nodes_claims_are_never_touched(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    node = world.node()
    world.let(node, turns=50, tick=10.0)
    node.leave()
    assert names(world.layout.claims(STRANGER)) == [unit(sid).name]
