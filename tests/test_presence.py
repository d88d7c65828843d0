"""The nodes in the archive: their state, what they run, and nothing written where nothing changes."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest
from world import World

from park_spool import sealed
from park_spool.archive.reading import ArchiveReader
from park_spool.naming import Unit, heartbeat_name
from park_spool.reducing import presence
from park_spool.reducing.presence import running_rows

NODE = "n1_1_aaaaaa"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def beat(world: World, seq: int, node: str = NODE, **report: Any) -> None:
    for path in world.layout.nodes.glob(f"{node}.*"):
        path.unlink()
    fields = {"node": node, "host": "n1", "cpus": 2, "at": 50.0 + seq, "seq": seq, **report}
    (world.layout.nodes / heartbeat_name(node, seq)).write_bytes(sealed.seal_json(fields))


def progress(sid: str, job: int = 1, **fields: Any) -> dict[str, Any]:
    entry = {"sid": sid, "group": 1, "joblist": 1, "job": job, "started": 40.0, "seconds": 7.5}
    return {**entry, "chisq": 12.5, "line": '{"chisq": 12.5}', **fields}


def test_doctests() -> None:
    assert doctest.testmod(presence).failed == 0


def test_a_nodes_state_is_what_it_says_and_gone_when_it_is(world: World) -> None:
    reader = ArchiveReader(world.config.archive)
    reducer = world.reducer()
    beat(world, 1, state="waiting", why="others use 3.1 of 4 CPUs", load=[3.1, 2.0, 1.0])
    beat(world, 1, node="n2_2_bbbbbb", held=["u"])
    reducer.step()
    first, second = reader.nodes()
    assert (first.state, first.seen, first.heartbeat["why"]) == ("waiting", 51.0, "others use 3.1 of 4 CPUs")
    assert (second.state, second.units) == ("working", 1)
    for path in world.layout.nodes.glob("n2_*"):
        path.unlink()
    world.clock.now += 3.0
    beat(world, 2, state="idle")
    reducer.step()
    assert [node.state for node in reader.nodes()] == ["idle", "gone"]
    world.let(reducer, turns=2, tick=world.config.claim_expiry + 1)
    assert [node.state for node in reader.nodes()] == ["gone", "gone"]
    reducer.leave()


def test_what_runs_is_replaced_and_looked_at_more_often(world: World) -> None:
    sid = world.admit()
    reader = ArchiveReader(world.config.archive)
    reducer = world.reducer()
    beat(world, 1, progress=[progress(sid)], running={Unit(sid, 1, 2, 1, 2).name: 3.0})
    reducer.step()
    assert [(row.job, row.node, row.seconds, row.chisq) for row in reader.running(sid)] == [
        ("1.1.1", NODE, 7.5, 12.5),
        ("1.2.1", NODE, 3.0, None),
    ]
    assert reducer.wait_seconds() <= 1.0
    beat(world, 2, progress=[progress(sid, seconds=9.0, chisq=8.0)])
    world.clock.now += presence.PROGRESS_SECONDS
    reducer.step()
    assert [(row.seconds, row.chisq) for row in reader.running(sid)] == [(9.0, 8.0)]
    beat(world, 3)
    world.clock.now += presence.PROGRESS_SECONDS
    reducer.step()
    assert reader.running(sid) == []
    reducer.leave()


def test_what_a_node_ran_that_is_gone_does_not_run(world: World) -> None:
    sid = world.admit()
    reducer = world.reducer()
    beat(world, 1, progress=[progress(sid)])
    reducer.step()
    world.let(reducer, turns=3, tick=world.config.claim_expiry)
    reducer.leave()
    assert world.rows("running") == []


def test_an_archive_that_was_left_does_not_keep_what_ran_then(world: World) -> None:
    sid = world.admit()
    beat(world, 1, progress=[progress(sid)])
    first = world.reducer()
    first.step()
    first.leave()
    beat(world, 2)
    second = world.reducer()
    second.step()
    second.leave()
    assert world.rows("running") == []


def test_reports_of_other_versions_are_taken_as_far_as_they_go(world: World) -> None:
    sid = world.admit()
    odd = [progress(sid, job="one"), {"sid": sid}, 3, progress(sid, job=2, extra={})]
    assert [row[3] for row in running_rows(NODE, {"progress": odd, "running": None})] == [2]
    assert list(running_rows(NODE, {"running": {"strange": 1.0, Unit(sid, 1, 1, 1, 9).name: 1.0}})) == []
    assert list(running_rows(NODE, {})) == []


def test_an_idle_site_writes_nothing(world: World) -> None:
    beat(world, 1)
    reducer = world.reducer()
    world.let(reducer, turns=3, tick=3.0)
    before = reducer._archive._connection.total_changes  # type: ignore[union-attr]
    world.let(reducer, turns=8, tick=3.0)
    assert reducer._archive._connection.total_changes == before  # type: ignore[union-attr]
    reducer.leave()


def test_what_happens_to_nodes_is_kept(world: World) -> None:
    reducer = world.reducer()
    beat(world, 1, version="0.1.0", state="idle")
    reducer.step()
    for seq, state in enumerate(("working", "waiting", "waiting", "idle", "bad"), 2):
        world.clock.now += 3.0
        beat(world, seq, state=state, why="others use 3.1 of 4 CPUs" if state == "waiting" else None)
        reducer.step()
    reducer.leave()
    later = world.reducer()
    later.step()  # another reducer over the same archive has seen nothing new
    world.let(later, turns=3, tick=world.config.claim_expiry)
    later.leave()
    told = [(what, detail) for _, _, what, detail in sorted(world.rows("node_events"), key=lambda row: row[1])]
    assert told == [
        ("appeared", "n1, 2 CPUs, park-spool 0.1.0"),
        ("waiting", "others use 3.1 of 4 CPUs"),
        ("back", ""),
        ("bad", ""),
        ("gone", ""),
    ]


def test_a_node_that_left_while_nobody_reduced_is_gone(world: World) -> None:
    first = world.reducer()
    beat(world, 1)
    first.step()
    first.leave()
    for path in world.layout.nodes.iterdir():
        path.unlink()
    beat(world, 1, node="n2_2_bbbbbb")
    second = world.reducer()
    second.step()
    second.leave()
    assert [(row[0], row[2]) for row in sorted(world.rows("node_events"), key=lambda row: row[1])] == [
        (NODE, "appeared"),
        (NODE, "gone"),
        ("n2_2_bbbbbb", "appeared"),
    ]
