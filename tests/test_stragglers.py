"""Which units are offered a second time, as pure values; and what spoold does about them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_tending import publish_tally, ready, unit
from world import SESSION, World

from park_spool import controls, naming, sealed
from park_spool.check import check
from park_spool.cluster import Cluster, NodeView
from park_spool.config import Config
from park_spool.naming import Unit
from park_spool.processes import Identity
from park_spool.tallies import Tally
from park_spool.tending import stragglers

CONFIG = Config(Path("s"), Path("a"))
SLOW = Unit("s", 1, 1, 1, 2)
TIMES = {("s", 1, 1): 2.0}


def cluster(*nodes: NodeView) -> Cluster:
    return Cluster(sum(node.cpus for node in nodes), TIMES, nodes)


def holder(seconds: float, one: Unit = SLOW, name: str = "n1", **fields: object) -> NodeView:
    return NodeView(name, 2, 1, frozenset({name}), {one: seconds}, **fields)  # type: ignore[arg-type]


IDLE = NodeView("n2", 2, 0, frozenset({"n2"}))


def late(seen: Cluster) -> list[Unit]:
    return [one for _, one in stragglers.overdue(seen, CONFIG)]


def chosen(seen: Cluster, *ready_tags: str, tag: str = "") -> list[Unit]:
    return stragglers.second_offers(stragglers.overdue(seen, CONFIG), seen, ready_tags, lambda one: tag)


@pytest.mark.parametrize(("seconds", "expected"), [(6.0, []), (6.1, [SLOW])])
def test_late_is_what_ran_three_times_longer_than_expected(seconds: float, expected: list[Unit]) -> None:
    assert late(cluster(holder(seconds))) == expected


def test_a_unit_of_many_jobs_is_expected_to_take_as_many_times_longer() -> None:
    many = SLOW.piece(1, 11)
    assert late(cluster(holder(59.0, many))) == []
    assert late(cluster(holder(61.0, many))) == [many]


def test_short_jobs_are_given_the_time_of_a_whole_unit() -> None:
    quick = Cluster(2, {("s", 1, 1): 0.001}, (holder(2.9),))
    assert late(quick) == []
    assert late(Cluster(2, {("s", 1, 1): 0.001}, (holder(3.1),))) == [SLOW]


def test_nothing_is_late_where_nobody_knows_the_time() -> None:
    assert late(cluster(holder(1e6, Unit("s", 1, 2, 1, 2)))) == []


def test_what_two_nodes_run_was_offered_before() -> None:
    assert late(cluster(holder(100.0), holder(90.0, name="n3"))) == []


def test_the_slowest_comes_first() -> None:
    other = Unit("s", 1, 1, 2, 3)
    assert late(cluster(holder(7.0), holder(70.0, other, name="n3"))) == [other, SLOW]


def test_another_node_with_nothing_to_do_gets_it() -> None:
    assert chosen(cluster(holder(100.0), IDLE)) == [SLOW]


def test_the_node_that_runs_it_does_not_count() -> None:
    assert chosen(cluster(holder(100.0))) == []


def test_a_node_that_claims_nothing_does_not_count() -> None:
    away = NodeView("n2", 2, 0, frozenset({"n2"}), is_claiming=False)
    assert chosen(cluster(holder(100.0), away)) == []


def test_a_busy_node_does_not_count() -> None:
    assert chosen(cluster(holder(100.0), NodeView("n2", 2, 2))) == []


def test_a_node_that_does_not_suit_does_not_count() -> None:
    assert chosen(cluster(holder(100.0), IDLE), tag="gpu") == []
    assert chosen(cluster(holder(100.0), NodeView("n2", 2, 0, frozenset({"gpu"}))), tag="gpu") == [SLOW]


def test_a_node_for_which_something_waits_is_not_idle() -> None:
    assert chosen(cluster(holder(100.0), IDLE), "") == []
    assert chosen(cluster(holder(100.0), IDLE), "n2") == []
    assert chosen(cluster(holder(100.0), IDLE), "gpu") == [SLOW]


def test_each_idle_cpu_gets_one() -> None:
    held = [holder(100.0 - job, Unit("s", 1, 1, job, job + 1), name=f"h{job}") for job in range(1, 5)]
    assert chosen(cluster(*held, IDLE, NodeView("n3", 1, 0))) != []
    busy = [NodeView(node.name, 1, 1, running=node.running) for node in held]
    assert [one.start for one in chosen(cluster(*busy, IDLE))] == [1, 2]


# what spoold does

FAST, STUCK = "h7_7_000000", "h8_8_000000"


class Site:
    """A session of which one unit is stuck on one node, while another node has nothing to do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sid = world.admit(xml=SESSION.format(many=2, few=1))
        publish_tally(world, self.sid, Tally({(1, 1): [(2, 3)], (1, 2): [(1, 2)]}))
        self.stuck = unit(self.sid)
        world.plant_claim(self.stuck, STUCK)
        self.spoold = world.spoold()
        self.seq = 0
        self.beat(1.0)
        world.let(self.spoold, turns=4)
        assert ready(world) == []

    def beat(self, seconds: float, idle: int = 2) -> None:
        self.seq += 1
        held = {self.stuck.name: seconds}
        self._report(FAST, 2, 2 - idle, {})
        self._report(STUCK, 2, 1, held)

    def _report(self, node: str, cpus: int, busy: int, running: dict[str, float]) -> None:
        report = {
            "node": node,
            "identity": Identity("far", "", "", 1, 1).to_json(),
            "cpus": cpus,
            "busy": busy,
            "running": running,
            "job_seconds": {f"{self.sid}/1/1": 2.0},
        }
        self.world.layout.claims(node).mkdir(exist_ok=True)
        path = self.world.layout.nodes / naming.heartbeat_name(node, self.seq)
        path.write_bytes(sealed.seal_json(json.loads(json.dumps(report))))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(World(tmp_path))


def test_a_late_last_unit_is_offered_once_more_and_only_once(site: Site) -> None:
    site.beat(100.0)
    site.world.let(site.spoold, turns=3)
    assert ready(site.world) == [site.stuck]
    assert check(site.world.root) == []
    for path in site.world.layout.ready.glob("*/*"):
        path.unlink()
    site.beat(200.0)
    site.world.let(site.spoold, turns=10)
    assert ready(site.world) == []


def test_it_is_withdrawn_when_it_is_answered_after_all(site: Site) -> None:
    site.beat(100.0)
    site.world.let(site.spoold, turns=3)
    (site.world.layout.claims(STUCK) / site.stuck.name).unlink()
    other = Tally({(1, 1): [(1, 2)]})
    publish_tally(site.world, site.sid, other, seq=9)  # the newest tally of that reducer says only this
    site.world.let(site.spoold, turns=4)
    assert ready(site.world) == []
    assert site.world.layout.session(site.sid).is_dir()


def test_nothing_is_offered_again_while_something_pends(site: Site) -> None:
    controls.say(site.world.member(), site.world.layout.session(site.sid), "pause", "wwchen")
    site.beat(100.0)
    site.world.let(site.spoold, turns=3)
    assert ready(site.world) == []


def test_a_second_offer_does_not_pend_when_the_session_is_paused(site: Site) -> None:
    site.beat(100.0)
    site.world.let(site.spoold, turns=3)
    folder = site.world.layout.session(site.sid)
    controls.say(site.world.member(), folder, "pause", "wwchen")
    site.world.let(site.spoold, turns=3)
    assert ready(site.world) == []
    site.beat(101.0, idle=0)
    controls.say(site.world.member(), folder, "resume", "wwchen")
    site.world.let(site.spoold, turns=6)
    assert ready(site.world) == []
    assert os.listdir(site.world.layout.claims(STUCK)) == [site.stuck.name]
