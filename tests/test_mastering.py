"""The master on a spool in one process: nodes that appear, are lost, are told to stop; roles; a disk that fails."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from world import ScriptedRunner, World, dying_disk

from park_spool import check, naming, wishes
from park_spool.atomic import Disk
from park_spool.errors import HostError
from park_spool.hosts import reading
from park_spool.hosts.reading import Host
from park_spool.mastering import away, launching, living
from park_spool.mastering.launching import Ended, Launcher, Terms
from park_spool.mastering.master import Master
from park_spool.mastering.stopping import Stopping, patience
from park_spool.mastering.taking import active, take
from park_spool.running.node import Node
from park_spool.running.report import About

HOSTS = reading.parse("10.0.0.1 n1.example n1::2\n10.0.0.2 n2.example n2\n")


class Nodes:
    """The hosts' side: what is begun is a node on the spool from the next step on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_alias: dict[str, Node] = {}
        self.begun: list[str] = []
        self.fails: dict[str, str] = {}
        self._ended: list[Ended] = []
        self.is_busy = False

    def begin(self, host: Host) -> None:
        self.begun.append(host.alias)
        if host.alias in self.fails:
            self._ended.append(Ended(host.alias, self.fails[host.alias], "refused"))
            return
        about = About(alias=host.alias, started_by={"how": "up", "master": ""})
        self.by_alias[host.alias] = Node(self.world.member(), [ScriptedRunner()], self.world.root, about)
        self._ended.append(Ended(host.alias))

    def ended(self) -> list[Ended]:
        found, self._ended = self._ended, []
        return found

    def forget_waiting(self) -> list[str]:
        return []

    def step(self) -> None:
        for alias, node in list(self.by_alias.items()):
            node.step()
            if node.is_done:
                node.leave()
                del self.by_alias[alias]


@dataclass
class Daemons:
    """What stands in for `park serve`."""

    steps: int = 0
    stops: int = 0

    def step(self) -> bool:
        self.steps += 1
        return False

    def stop(self, grace: float) -> None:
        self.stops += 1

    def wake_at(self) -> float | None:
        return None


@dataclass
class Scene:
    world: World
    nodes: Nodes
    said: list[str] = field(default_factory=list)
    daemons: Daemons = field(default_factory=Daemons)

    def master(self, disk: type[Disk] = Disk, crews: Any = (), **more: Any) -> Master:
        launcher = cast(Launcher, self.nodes)
        member = self.world.member(disk)
        return Master(member, HOSTS, launcher, cast(Any, self.daemons), crews, tell=self.said.append, **more)

    def let(self, *masters: Master, turns: int = 20) -> None:
        for _ in range(turns):
            for one in masters:
                one.step()
            self.nodes.step()
            self.world.clock.now += 0.5

    def until(self, is_so: Callable[[], object], *masters: Master, turns: int = 1000) -> None:
        for _ in range(turns):
            if is_so():
                return
            self.let(*masters, turns=1)
        raise AssertionError(f"it did not come true: {self.said}")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    world = World(tmp_path, heartbeat_seconds=2.0, unit_lifetime=6.0, claim_expiry=12.0)
    return Scene(world, Nodes(world))


def locks(world: World) -> list[str]:
    return [path.name for path in world.layout.locks.iterdir()]


def test_it_starts_each_host_once_and_shows_what_lives(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    assert scene.nodes.begun == ["n1", "n2"]
    assert {live.alias for live in master.live} == {"n1", "n2"}
    assert master.is_settled
    assert any(sentence.startswith("n1: ") and "is up" in sentence for sentence in scene.said)


def test_a_silent_node_is_started_again_and_a_failing_host_later_and_later(scene: Scene) -> None:
    scene.nodes.fails["n2"] = "connection refused"
    master = scene.master()
    scene.let(master, turns=4)
    assert "n2: connection refused; next try in 2 s" in scene.said
    scene.let(master, turns=56)
    assert scene.nodes.begun.count("n2") in (4, 5), "at 0, 2, 6, 14, 30 s"
    del scene.nodes.by_alias["n1"]  # SIGKILL, on a host that nobody can see into
    scene.until(lambda: scene.nodes.begun.count("n1") == 2, master)
    scene.let(master)
    assert [live.alias for live in master.live] == ["n1"]


def test_hosts_may_come_and_go_while_it_runs(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    before = scene.nodes.by_alias["n2"].member.name
    master.take([HOSTS[1], *reading.parse("10.0.0.3 n3.example n3")])
    scene.let(master)
    assert scene.nodes.begun == ["n1", "n2", "n3"]
    assert [sentence for sentence in scene.said if "is looked after no more" in sentence] == [
        "n1: is looked after no more; its node goes on until `park down n1`"
    ]
    assert scene.nodes.by_alias["n2"].member.name == before
    del scene.nodes.by_alias["n1"]  # SIGKILL
    scene.let(master, turns=80)
    assert scene.nodes.begun == ["n1", "n2", "n3"], "n1 is not started again"
    master.stop("a signal came")
    scene.until(lambda: master.is_over, master)
    assert (master.unanswered, scene.nodes.by_alias) == ([], {})


def test_a_host_that_is_taken_away_while_its_node_is_started_costs_nothing(scene: Scene) -> None:
    master = scene.master()
    master.step()
    master.take(HOSTS[:1])
    scene.let(master)
    assert list(master.standings) == ["n1"]
    scene.until(lambda: {live.alias for live in master.live} == {"n1", "n2"}, master)


def test_a_node_of_another_master_is_as_good(scene: Scene) -> None:
    first = scene.master()
    scene.let(first)
    del first  # SIGKILL
    second = scene.master(may_stand_by=True)
    scene.until(lambda: second.is_active, second)
    scene.let(second)
    assert scene.nodes.begun == ["n1", "n2"]


def test_one_that_was_sent_home_comes_back_when_it_is_wanted(scene: Scene) -> None:
    master, user = scene.master(), scene.world.member()
    scene.let(master)
    assert away.send(user, "n1")
    (scene.world.layout.notices / wishes.notice_name(scene.nodes.by_alias["n1"].member.name, "stop")).touch()
    scene.let(master, turns=60)
    assert (scene.nodes.begun, list(scene.nodes.by_alias)) == (["n1", "n2"], ["n2"])
    assert away.take_back(user, ["n1", "n2"]) == ["n1"]
    scene.let(master)
    assert scene.nodes.begun == ["n1", "n2", "n1"]


def test_it_stops_all_and_leaves_nothing_but_its_notice(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    master.stop("a signal came")
    scene.until(lambda: master.is_over, master)
    assert (master.unanswered, scene.daemons.stops, scene.nodes.by_alias, locks(scene.world)) == ([], 1, {}, [])
    assert [path.suffix for path in scene.world.layout.notices.iterdir()] == [".stop"]
    assert list(scene.world.layout.nodes.iterdir()) == []
    assert check.check(scene.world.root) == []


def test_a_fenced_node_is_told_under_its_new_name(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    spool, node = scene.world.layout, scene.nodes.by_alias["n1"]
    old = node.member.name
    spool.claims(old).rename(spool.expired(old))  # a spoold that took it for dead
    master.stop("a signal came")
    scene.until(lambda: master.is_over, master)
    assert node.member.name != old
    assert (master.unanswered, scene.nodes.by_alias) == ([], {})


def test_who_does_not_answer_is_named(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    node = scene.nodes.by_alias.pop("n2")
    master.stop("a signal came")
    scene.until(lambda: master.is_over, master)
    assert len(master.unanswered) <= 1
    assert not master.unanswered or node.member.name in master.unanswered[0]


def test_a_standby_takes_over_from_the_dead_and_ends_with_one_that_was_told_to_stop(scene: Scene) -> None:
    first, second = scene.master(), scene.master(may_stand_by=True)
    scene.let(first, second)
    assert (first.is_active, second.is_active) == (True, False)
    scene.until(lambda: second.is_active, second)  # the first is dead
    third = scene.master(may_stand_by=True)
    scene.let(second, third)
    (scene.world.layout.notices / wishes.notice_name(second._member.name, "stop")).touch()
    scene.until(lambda: second.is_over and third.is_over, second, third)
    assert scene.nodes.by_alias == {}
    assert locks(scene.world) == []


def test_one_that_was_taken_over_from_leaves_the_fleet_alone(scene: Scene) -> None:
    first, second = scene.master(), scene.master(may_stand_by=True)
    scene.let(first)
    scene.until(lambda: second.is_active, second)  # the first is frozen
    scene.let(first, second)
    assert first.is_over
    assert len(scene.nodes.by_alias) == 2


def test_a_disk_that_fails_for_a_while_stops_nothing(scene: Scene) -> None:
    trouble = [False]

    class Failing(Disk):
        def step(self, call: str, path: Path) -> None:
            if trouble[0]:
                raise OSError(errno.ENOSPC, "no space left", str(path))

    master = scene.master(Failing)
    scene.let(master)
    trouble[0] = True
    for _ in range(10):
        with pytest.raises(OSError, match="no space left"):
            for _ in range(20):
                master.step()
                scene.world.clock.now += 1.0
    trouble[0] = False
    scene.let(master)
    assert master.is_active
    assert scene.nodes.begun == ["n1", "n2"]


class Crew:
    def __init__(self) -> None:
        self.steps = 0

    def step(self) -> bool:
        self.steps += 1
        return False

    def stop(self) -> list[str]:
        return ["pilot 7 was not cancelled"]


def test_crews_are_stepped_and_stopped(scene: Scene) -> None:
    crew = Crew()
    master = scene.master(crews=[crew])
    scene.let(master, turns=5)
    assert crew.steps == 5
    master.stop("a signal came")
    scene.until(lambda: master.is_over, master)
    assert master.unanswered == ["pilot 7 was not cancelled"]


# killed before each change of the spool


def story(root: Path, disk: type[Disk]) -> tuple[Scene, Master, bool]:
    """Take the role, start, stop; return whether the master was killed on the way."""
    world = World(root, heartbeat_seconds=2.0, unit_lifetime=6.0, claim_expiry=12.0)
    scene = Scene(world, Nodes(world))
    master = scene.master(disk)
    try:
        scene.let(master)
        master.stop("a signal came")
        scene.until(lambda: master.is_over, master)
    except BaseException as error:
        if type(error).__name__ != "Killed":
            raise
        return scene, master, True
    return scene, master, False


def test_killed_before_every_change_it_leaves_what_the_next_and_park_down_can_handle(tmp_path: Path) -> None:
    left = [10**9]
    story(tmp_path / "count", dying_disk(left))
    total = 10**9 - left[0]
    assert total > 8
    for number in range(total):
        scene, _, was_killed = story(tmp_path / str(number), dying_disk([number]))
        assert was_killed, number
        assert check.check(scene.world.root) == []
        second = scene.master()
        assert take(second.candidate, second._member, lambda seconds, on=scene: on.let(turns=1)) is None  # type: ignore[misc]
        scene.let(second, turns=80)  # a node of the killed master may be late, and another one silent
        assert sorted(scene.nodes.by_alias) == ["n1", "n2"], number
        stop(scene, second)
        assert scene.nodes.by_alias == {}, number
        assert locks(scene.world) == [], number


def stop(scene: Scene, *masters: Master) -> Stopping:
    """What `park down` does, while time passes."""
    member = scene.world.member()
    stopping = Stopping(member, patience(member), scene.said.append, lambda seconds: scene.let(*masters, turns=1))
    stopping.masters()
    stopping.nodes()
    return stopping


def test_park_down_stops_nodes_of_a_master_that_was_killed_and_strangers(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    scene.nodes.by_alias["by hand"] = Node(scene.world.member(), [ScriptedRunner()], scene.world.root)
    scene.let(turns=4)
    stopping = stop(scene)  # the master is dead: its lock does not move
    assert (stopping.masters_left, stopping.left, stopping.silent, stopping.stopped) == ({}, [], [], 3)
    assert locks(scene.world) == []
    assert [path.name for path in scene.world.layout.notices.iterdir()] == [f"{master._member.name}.stop"]


def test_park_down_says_who_was_not_seen_to_end(scene: Scene) -> None:
    master = scene.master()
    scene.let(master)
    dead = scene.nodes.by_alias.pop("n1")
    deaf = scene.nodes.by_alias["n2"]
    deaf._read_notices = lambda: None  # type: ignore[method-assign]
    stopping = stop(scene)
    assert [one.node for one in stopping.silent] == [dead.member.name]
    assert [one.node for one in stopping.left] == [deaf.member.name]


def test_park_down_does_not_blame_a_node_that_was_fenced_before(scene: Scene) -> None:
    """Its heartbeat may still be listed: spoold ended before it was removed, or an old listing has it."""
    master = scene.master()
    scene.let(master)
    dead = scene.nodes.by_alias.pop("n1").member
    dead.disk.move(dead.layout.claims(dead.name), dead.layout.expired(dead.name))
    stopping = stop(scene)
    assert (stopping.left, stopping.silent) == ([], [])


# roles and starts


def test_a_second_park_up_finds_the_first_and_takes_over_from_a_silent_one(scene: Scene) -> None:
    first, second = scene.master(), scene.master()
    scene.let(first)
    found = take(second.candidate, second._member, lambda seconds: scene.let(first, turns=1))
    assert found is not None
    assert found.candidate == first._member.name
    third = scene.master()
    assert take(third.candidate, third._member, lambda seconds: scene.let(turns=1)) is None
    lock = active(third._member)
    assert lock is not None
    assert lock.candidate == third._member.name


def test_what_a_node_is_started_with(scene: Scene) -> None:
    [host] = reading.parse("10.0.0.1 n1.example n1::2 spool=/mnt/spool tags=gpu,big\n")
    words = launching.node_words(host, scene.world.config, Terms("n4_4711_x0p2qa", 600.0))
    assert " ".join(words) == (
        "--spool /mnt/spool --name n1 --cpus 2 --tag gpu --tag big --keep --single --linger 600 "
        "--started-by up:n4_4711_x0p2qa"
    )


def test_starts_end_in_sentences_whatever_happens() -> None:
    def start(host: Host) -> None:
        if host.alias == "n1":
            raise HostError("n1: connection refused; does sshd run there?", "refused", "n1")

    launcher = Launcher(start)
    for host in HOSTS:
        launcher.begin(host)
    found: dict[str, Ended] = {}
    while launcher.is_busy:
        found |= {one.alias: one for one in launcher.ended()}
    assert found == {
        "n1": Ended("n1", "connection refused; does sshd run there?", "refused"),
        "n2": Ended("n2"),
    }


def test_an_odd_heartbeat_is_read_all_the_same() -> None:
    assert living.read("n4_4711_x0p2qa", {"alias": 7, "started_by": "me", "cpus": "many"}).how == ""
    assert living.read("n4_4711_x0p2qa", {"host": "N4.example"}).is_called("n4")
    assert naming.is_node("n4_4711_x0p2qa")
