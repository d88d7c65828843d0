"""The crash test of chained work: the whole story with the process killed before the n-th change of the spool, for every n.

Steps beside independent jobs, a group that waits for them, a session that waits for that one, and one that waits for a
session that never was. spoold, two nodes (one dies holding a claim) and the reducer are killed. In the end every job was
counted once, started from what it should, and in order, and what could never start was cancelled with its reason.
"""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest
from chains import group, joblist, reply, session, states, steps, values
from test_crash import QUICK, clear_quarantine, cut_power, fails_once, forgetting_disk, makers
from world import Actors, World, dying_disk, run_until_closed, state

from park_spool import controls, naming
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import parse_start

FIRST, SECOND, LOST, NEVER = (f"20261123-025532-{letter * 4}" for letter in "abcz")
XML = {
    FIRST: session(group(joblist(2), steps(3)), group(steps(2), after="1")),
    SECOND: session(group(joblist(2)), after=FIRST),
    LOST: session(group(), after=NEVER),
}
BEST = 121122123  # the path of the last step of the first group, whose chisq is the lowest
EXPECTED = {
    FIRST: {
        **{f"1.1.{job}": (1, 110 + job) for job in (1, 2)},
        "1.2.1": (1, 121),
        "1.2.2": (2, 121122),
        "1.2.3": (3, BEST),
        "2.1.1": (4, BEST * 1000 + 211),
        "2.1.2": (5, BEST * 1000_000 + 211212),
    },
    SECOND: {f"1.1.{job}": (4, BEST * 1000 + 110 + job) for job in (1, 2)},
    LOST: {},
}


def world_of(root: Path) -> World:
    world = World(root, seed=1, **QUICK)
    world.script, world.output = fails_once, reply
    for sid, xml in XML.items():
        (world.layout.inbox / naming.submitted_name(sid, "chain.xml")).write_text(xml)
    return world


def story(root: Path, disk: type[Disk]) -> tuple[World, Actors]:
    world = world_of(root)
    actors = Actors(makers(world, disk))
    run_until_closed(world, actors)
    for _ in range(5):  # what is owed: the last look at what was closed
        actors.step()
        world.clock.now += 0.7
    return world, actors


def spans(world: World) -> dict[str, int]:
    with sqlite3.connect(world.config.archive) as connection:
        found = dict(connection.execute("SELECT sid, count(*) FROM jobs GROUP BY sid").fetchall())
    connection.close()
    return found


def assert_as_it_should(world: World) -> None:
    assert {sid: values(world, sid) for sid in XML} == EXPECTED
    assert spans(world) == {sid: len(jobs) for sid, jobs in EXPECTED.items() if jobs}
    assert states(world) == {FIRST: "done", SECOND: "done", LOST: "cancelled"}
    folder = world.layout.closed_session(LOST)
    reason = controls.why_cancelled(world.member().disk, folder, os.listdir(folder))
    assert reason == f"it waited for session {NEVER}, which is not known here"
    assert check(world.root) == [], state(world)
    assert not any(world.layout.quarantine.iterdir())


def test_undisturbed_story(tmp_path: Path) -> None:
    world, actors = story(tmp_path, Disk)
    assert_as_it_should(world)
    assert actors.kills == 0


def changes(root: Path) -> int:
    left = [10**9]
    story(root, dying_disk(left))
    return 10**9 - left[0]


def kill(root: Path, first: int, every: int) -> None:
    total = changes(root / "count")
    assert total > 200
    for number in range(first, total, every):
        world, actors = story(root / str(number), dying_disk([number]))
        assert actors.kills == 1, number
        assert_as_it_should(world)


@pytest.mark.parametrize("shard", range(4))
def test_killed_before_every_sixteenth_change(tmp_path: Path, shard: int) -> None:
    kill(tmp_path, shard * 16 + 5, 64)


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(8))
def test_killed_before_every_change(tmp_path: Path, shard: int) -> None:
    kill(tmp_path, shard, 8)


@pytest.mark.parametrize("shard", range(2))
def test_power_cut_before_every_thirtieth_change(tmp_path: Path, shard: int) -> None:
    """All die at once, and what was never synced is lost, empty or torn: start values are not among it."""
    total = changes(tmp_path / "count")
    for number in range(shard * 30 + 7, total, 60):
        world = world_of(tmp_path / str(number))
        written: set[Path] = set()
        before = Actors(makers(world, forgetting_disk([number], written)))
        while not before.kills:
            before.step()
            world.clock.now += 0.7
        assert not any(parse_start(path.name) for path in written)
        cut_power(written, random.Random(number))
        survivors = makers(world, Disk)
        del survivors["doomed"]
        actors = Actors(survivors)
        run_until_closed(world, actors)
        world.let(actors, turns=5)
        clear_quarantine(world)
        assert_as_it_should(world)
