"""Dead nodes: fenced by one rename, then each unit comes back, once, as PROTOCOL.md section 6 says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from world import STRANGER, Actors, World, run_until_closed, state

from park_spool import naming, notices, processes, replies, sealed, tallies
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.nodes import Nodes
from park_spool.tallies import Tally
from park_spool.tending.takeback import Standing, TakeBack


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Bench:
    """A takeback with its observer, and what it wants to be offered again."""

    def __init__(self, world: World, disk: type[Disk] = Disk) -> None:
        self.world = world
        self.member = world.member(disk)
        self.nodes = Nodes(self.member)
        self.pended: list[Unit] = []
        self.take_back = TakeBack(self.member, self.nodes, self.standing, self.pended.extend)

    def standing(self, sid: str) -> Standing:
        return Standing(tallies.read(self.member.disk, self.world.layout.session(sid), {}))

    def look(self, seconds: float = 0.5, looks: int = 1) -> None:
        for _ in range(looks):
            self.nodes.look()
            self.take_back.step()
            self.world.clock.now += seconds

    def expire(self) -> None:
        """Look until whoever is silent has been expired and emptied."""
        self.look(10.0, 16)


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, 0, attempt)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def ready(world: World) -> list[str]:
    return sorted(path.name for path in world.layout.ready.glob("*/*"))


def publish_tally(world: World, sid: str, tally: Tally) -> None:
    (world.layout.session(sid) / naming.tally_name(STRANGER, 1)).write_bytes(tallies.encode(tally))


# who is dead


def test_a_silent_node_is_expired_after_claim_expiry_and_not_before(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    node, bench = world.node(), Bench(world)
    node.runners = []  # type: ignore[assignment]
    node.step()
    world.plant_claim(unit(sid), node.member.name)
    bench.look()
    start = world.clock.now
    while world.layout.claims(node.member.name).exists():
        bench.look(1.0)
        assert world.clock.now < start + 200
    assert world.clock.now - start > world.config.claim_expiry - 2
    assert check(world.root) == []


def test_a_node_that_beats_is_never_expired(world: World) -> None:
    node, bench = world.node(), Bench(world)
    for _ in range(60):
        node.step()
        bench.look(9.0)
    assert world.layout.claims(node.member.name).is_dir()
    assert len(names(world.layout.nodes)) == 1


def test_a_folder_without_a_heartbeat_counts_from_the_first_look(world: World) -> None:
    """A node that died between making its folder and its first heartbeat, or one that is just being born."""
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    bench = Bench(world)
    bench.look(100.0)
    assert names(world.layout.claims(STRANGER)) == [unit(sid).name]
    bench.look(100.0, 2)
    assert ready(world) == [unit(sid, attempt=1).name]


def test_a_node_known_to_be_dead_on_this_host_is_expired_at_once(world: World) -> None:
    here = processes.identity()
    if not here.boot:
        pytest.skip("this system does not say which boot and namespace it is")
    sid = world.admit()
    node = world.node()
    node.member = replace(node.member, identity=replace(here, start=here.start + 1))
    node.step()
    world.plant_claim(unit(sid), node.member.name)
    bench = Bench(world)
    object.__setattr__(bench.member, "identity", here)
    bench.look()
    assert ready(world) == [unit(sid, attempt=1).name]


def test_a_torn_heartbeat_neither_kills_nor_saves_its_node(world: World) -> None:
    node, bench = world.node(), Bench(world)
    node.step()
    [beat] = world.layout.nodes.iterdir()
    beat.write_bytes(b"torn")
    bench.look(60.0, 2)
    assert world.layout.claims(node.member.name).is_dir()
    bench.look(60.0, 2)
    assert not world.layout.claims(node.member.name).exists()


def test_heartbeats_go_when_the_folder_is_gone(world: World) -> None:
    node, bench = world.node(), Bench(world)
    node.step()
    bench.expire()
    assert names(world.layout.claimed) == [f"{node.member.name}.expired"]
    bench.look(10.0, 30)
    assert names(world.layout.claimed) == names(world.layout.nodes) == []


# what becomes of its units: the table of PROTOCOL.md section 6


def test_an_answered_unit_is_dropped(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    world.plant_reply(unit(sid), STRANGER)
    bench = Bench(world)
    bench.expire()
    assert (ready(world), bench.pended, len(names(world.layout.replies))) == ([], [], 1)
    assert names(world.layout.expired(STRANGER)) == []


def test_a_unit_answered_by_another_node_is_dropped_too(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    world.plant_reply(unit(sid), "h2_2_000000")
    bench = Bench(world)
    bench.expire()
    assert (ready(world), bench.pended) == ([], [])


@pytest.mark.parametrize("stop", [2, 5])
def test_a_unit_whose_jobs_are_all_final_is_dropped(world: World, stop: int) -> None:
    sid = world.admit(many=9)
    world.plant_claim(unit(sid, 1, stop), STRANGER)
    publish_tally(world, sid, Tally({(1, 1): [(1, 5)]}))
    bench = Bench(world)
    bench.expire()
    assert (ready(world), bench.pended, names(world.layout.expired(STRANGER))) == ([], [], [])


def test_a_unit_of_many_jobs_comes_back_in_eight_pieces_with_the_same_attempt(world: World) -> None:
    sid = world.admit(many=100)
    world.plant_claim(unit(sid, 1, 81), STRANGER)
    bench = Bench(world)
    bench.expire()
    assert [(one.start, one.stop, one.attempt) for one in bench.pended] == [(at, at + 10, 0) for at in range(1, 81, 10)]
    assert names(world.layout.expired(STRANGER)) == []


def test_only_what_is_not_final_of_many_jobs_comes_back(world: World) -> None:
    sid = world.admit(many=100)
    world.plant_claim(unit(sid, 1, 101), STRANGER)
    publish_tally(world, sid, Tally({(1, 1): [(1, 96)]}, {(1, 1): [(97, 0, 0)]}))
    bench = Bench(world)
    bench.expire()
    # Job 97 failed at this attempt: the audit offers it again, one attempt higher.
    assert sorted(job for one in bench.pended for job in range(one.start, one.stop)) == [96, 98, 99, 100]


def test_one_job_with_attempts_left_goes_to_ready_one_attempt_higher(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid, attempt=1), STRANGER)
    bench = Bench(world)
    bench.expire()
    assert (ready(world), bench.pended) == ([unit(sid, attempt=2).name], [])
    assert check(world.root) == []


@pytest.mark.parametrize("attempt", [0, 2])
def test_one_job_of_a_node_that_a_batch_system_ended_comes_back_at_once_at_the_same_attempt(
    world: World, attempt: int
) -> None:
    sid = world.admit()
    node, bench = world.node(), Bench(world)
    node.step()
    bench.look()
    world.plant_claim(unit(sid, attempt=attempt), node.member.name)
    notices.say(bench.member, node.member.name, "ended")
    bench.look()
    assert (ready(world), bench.pended) == ([unit(sid, attempt=attempt).name], [])
    assert check(world.root) == []
    bench.look(10.0, 30)
    assert names(world.layout.claimed) == names(world.layout.nodes) == names(world.layout.notices) == []


def test_one_job_without_attempts_left_is_answered_as_lost(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid, attempt=2), STRANGER)
    bench = Bench(world)
    bench.expire()
    [name] = names(world.layout.replies)
    [job] = replies.decode(name, (world.layout.replies / name).read_bytes()).jobs
    assert job.status == "lost"
    assert job.why == f"the node that ran it was lost 3 times, the last was {STRANGER}; it is not tried again"
    assert (ready(world), names(world.layout.expired(STRANGER))) == ([], [])
    assert check(world.root) == []


@pytest.mark.parametrize("how", ["unknown", "broken", "closed"])
def test_a_unit_whose_session_cannot_be_asked_is_dropped_and_the_others_come_back(world: World, how: str) -> None:
    odd, sound = world.admit(), world.admit()
    if how == "unknown":
        world.layout.session(odd).rename(world.root / "elsewhere")
    elif how == "closed":
        world.layout.session(odd).rename(world.layout.closed_session(odd))
    else:
        (world.layout.session(odd) / "session.json").write_text("{}")
    for sid in sorted((odd, sound)):
        world.plant_claim(unit(sid), STRANGER)
    spoold = world.spoold()
    world.let(spoold, turns=40, tick=5.0)
    assert unit(sound, attempt=1).name in ready(world)
    assert unit(odd, attempt=1).name not in ready(world)
    assert names(world.layout.expired(STRANGER)) == []


def test_strangers_in_a_dead_nodes_folder_are_left_alone(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    (world.layout.claims(STRANGER) / "README").touch()
    bench = Bench(world)
    bench.look(10.0, 60)
    assert names(world.layout.expired(STRANGER)) == ["README"]
    assert len(ready(world)) == 1


# two janitors, and late renames


def test_the_folder_waits_for_late_renames(world: World) -> None:
    """NFS: a client that is only slow may still rename a claim into the folder through an old handle."""
    sid = world.admit()
    world.plant_claim(unit(sid), STRANGER)
    bench = Bench(world)
    bench.expire()
    assert names(world.layout.expired(STRANGER)) == []
    (world.layout.expired(STRANGER) / unit(sid, 2, 3).name).touch()
    bench.look()
    assert unit(sid, 2, 3, attempt=1).name in ready(world)
    since = world.clock.now
    while world.layout.expired(STRANGER).exists():
        bench.look(5.0)
    assert world.clock.now - since > world.config.claim_expiry


@pytest.mark.parametrize("stop", [2, 17])
@pytest.mark.parametrize("attempt", [0, 2])
def test_of_two_janitors_one_wins_each_unit(tmp_path: Path, stop: int, attempt: int) -> None:
    """Before every system call of the one, another does all of its step: nothing comes back twice."""
    for number in range(60):
        world = World(tmp_path / f"{number}")
        sid = world.admit(many=16)
        world.plant_claim(unit(sid, 1, stop, attempt=attempt if stop == 2 else 0), STRANGER)
        rival = Bench(world)
        calls = [0]

        class Overtaken(Disk):
            def step(
                self,
                call: str,
                path: Path,
                world: World = world,
                calls: list[int] = calls,
                rival: Bench = rival,
                number: int = number,
            ) -> None:
                if any(world.layout.claimed.iterdir()) and world.clock.now > 1000 + world.config.claim_expiry:
                    calls[0] += 1
                    if calls[0] == number + 1:
                        rival.nodes.look()
                        rival.take_back.step()
                        rival.take_back.step()

        bench = Bench(world, Overtaken)
        bench.look()
        rival.look()
        world.clock.now += world.config.claim_expiry + 1
        bench.look(1.0, 3)
        back = [*(naming.parse_unit(name) for name in ready(world)), *bench.pended, *rival.pended]
        back += [naming.parse_reply(name)[0] for name in names(world.layout.replies)][:1]  # type: ignore[index]
        jobs = sorted(job for one in back if one for job in range(one.start, one.stop))
        assert jobs == list(range(1, stop)), (number, state(world))
        assert names(world.layout.expired(STRANGER)) == []
        assert check(world.root) == []
        if calls[0] <= number:
            assert number > 5
            return
    raise AssertionError("more system calls than expected")


def test_a_story_with_one_dead_node_ends_well(world: World) -> None:
    sid = world.admit(many=6, few=1)
    world.plant_claim(unit(sid, 1, 5), STRANGER)
    world.plant_claim(unit(sid, joblist=2), STRANGER)
    run_until_closed(world, Actors({"spoold": world.spoold, "node": world.node, "reduced": world.reducer}))
    assert set(world.counted().values()) == {"ok"}
    assert len(world.counted()) == 7
    assert check(world.root) == []


def test_a_reply_names_who_gave_the_job_up(world: World) -> None:
    sid = world.admit()
    world.plant_claim(unit(sid, attempt=2), STRANGER)
    bench = Bench(world)
    bench.expire()
    [name] = names(world.layout.replies)
    assert naming.parse_reply(name) == (unit(sid, attempt=2), bench.member.name)
    sealed.unseal((world.layout.replies / name).read_bytes())
