"""Chained work with two spoolds, two nodes and two reducers with archives of their own, stepped at system-call level.

Whatever the order, and whoever is frozen or killed meanwhile: no unit stands in ready/ before its start values do, every
start that stands is whole, and in the end each job started from what it should.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from chains import group, joblist, reply, session, states, steps, values
from stepping import Stage
from test_interleaving import settle
from world import World, state

from park_spool import admitted, naming, starts
from park_spool.check import check
from park_spool.naming import Start
from park_spool.starts import Waits, waits_of

FIRST, SECOND = (f"20261123-025532-{letter * 4}" for letter in "ab")
XML = {
    FIRST: session(group(joblist(1), steps(2)), group(after="1")),
    SECOND: session(group(steps(2)), after=f"{FIRST}.1"),
}
BEST = 121122
EXPECTED = {
    FIRST: {"1.1.1": (1, 111), "1.2.1": (1, 121), "1.2.2": (2, BEST), "2.1.1": (3, BEST * 1000 + 211)},
    SECOND: {"1.1.1": (3, BEST * 1000 + 111), "1.1.2": (4, BEST * 1000_000 + 111112)},
}
TURNS = 60_000
QUICK = {
    "claim_expiry": 12.0,
    "unit_lifetime": 6.0,
    "heartbeat_seconds": 2.0,
    "lease_renew": 1.0,
    "lease_expiry": 5.0,
    "audit_seconds": 6.0,
}


class Watch:
    """Holds what stands in ready/ against the starts that have stood so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: set[tuple[str, Start]] = set()
        self._waits: dict[str, Waits] = {}

    def look(self, what: str) -> None:
        ready = [unit for path in self._world.layout.ready.glob("*/*") if (unit := naming.parse_unit(path.name))]
        for path in self._world.layout.sessions.glob("2*/start.*"):
            start = naming.parse_start(path.name)
            assert start is not None
            starts.decode(path.read_bytes())
            self._seen.add((path.parent.name, start))
        for unit in ready:
            for start in self._of(unit.sid).needed(unit.key, unit.start):
                assert (unit.sid, start) in self._seen, (
                    f"{what}: {unit.name} was offered too early: {state(self._world)}"
                )

    def _of(self, sid: str) -> Waits:
        if sid not in self._waits:
            found = admitted.find(self._world.member().disk, self._world.layout, sid)
            assert found is not None
            self._waits[sid] = waits_of(found[1].session)
        return self._waits[sid]


def play(root: Path, seed: int, kills: bool) -> World:
    world = World(root, seed=seed, **QUICK)
    world.script = lambda joblist, job, attempt: "failed" if (joblist, job, attempt) == (2, 1, 0) else "ok"
    world.output = reply
    for sid, xml in XML.items():
        (world.layout.inbox / naming.submitted_name(sid, "chain.xml")).write_text(xml)
    second = world.root / "archive" / "second.sqlite"
    stage = Stage(
        world,
        seed,
        {
            "spoold": world.spoold,
            "rival spoold": world.spoold,
            "node": lambda disk: world.node(disk, slots=1),
            "rival node": lambda disk: world.node(disk, slots=2),
            "reducer": world.reducer,
            "rival reducer": lambda disk: world.reducer(disk, archive=second),
        },
    )
    watch = Watch(world)
    try:
        for turn in range(TURNS):
            stage.turn()
            watch.look(f"seed {seed}, turn {turn}")
            if stage.random.random() < 0.004:
                stage.freeze_somebody(stage.random.choice((3.0, 8.0, 40.0)))
            if kills and stage.random.random() < 0.001:
                stage.kill_somebody()
            if turn % 50 == 0 and world.is_closed:
                return world
    finally:
        stage.close()
    raise AssertionError(f"seed {seed}: not closed after {TURNS} turns: {state(world)}")


def assert_in_order(world: World) -> None:
    settle(world)
    assert {sid: values(world, sid) for sid in XML} == EXPECTED
    assert states(world) == dict.fromkeys(XML, "done")
    assert check(world.root) == [], state(world)


@pytest.mark.parametrize("seed", range(4))
def test_every_order_starts_each_job_from_what_it_should(tmp_path: Path, seed: int) -> None:
    assert_in_order(play(tmp_path, seed, kills=False))


@pytest.mark.parametrize("seed", range(100, 104))
def test_every_order_with_kills(tmp_path: Path, seed: int) -> None:
    assert_in_order(play(tmp_path, seed, kills=True))


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(1000, 1150))
def test_many_more_orders(tmp_path: Path, seed: int) -> None:
    assert_in_order(play(tmp_path, seed, kills=seed % 2 == 0))
