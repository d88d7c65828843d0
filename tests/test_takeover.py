"""A second reducer with an empty SQLite takes over after the first was killed anywhere in its batches: the same archive, row for row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from world import STRANGER, Killed, World, dying_disk, state

from park_spool import admitted, controls, retries
from park_spool.archive import checking
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.reducing.role import Reduction
from park_spool.tending import ending

ONLY_SEEN = {"meta", "nodes", "node_events", "running", "_sqlite_migrations"}  # what the spool does not say again


def answered(root: Path) -> World:
    """A world whose jobs were all run, one of them failing at its first attempt, and nothing reduced yet."""
    world = World(root, seed=3)
    world.script = lambda joblist, job, attempt: "failed" if (joblist, job, attempt) == (2, 1, 0) else "ok"
    world.submit(many=5, few=2)
    spoold, node = world.spoold(), world.node()
    for _ in range(400):
        spoold.step()
        node.step()
        world.clock.now += 0.7
        if len(list(world.layout.replies.iterdir())) >= 7:
            break
    spoold.resign()
    return world


def reduce_all(world: World, reducer: Reduction, turns: int = 60) -> None:
    for _ in range(turns):
        reducer.step()
        world.clock.now += 3.0
    reducer.leave()


def finish(world: World, reducer: Callable[[], Reduction]) -> None:
    """Let the retry of the failed job run, and everything be reduced."""
    reduce_all(world, reducer())
    spoold, node = world.spoold(), world.node()
    for _ in range(400):
        spoold.step()
        node.step()
        world.clock.now += 0.7
    # The retry runs on another node than the first: the name is all that differs between two runs.
    reduce_all(world, reducer())


def tables(world: World, archive: Path | None = None) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that can be made again."""
    with closing(sqlite3.connect(archive or world.config.archive)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    names = {name for (name,) in found} - ONLY_SEEN
    assert len(names) == 21
    assert checking.check(archive or world.config.archive) == []
    return {table: world.rows(table, archive) for table in names}


def without_bundles(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """All but the rows that name who wrote a bundle."""
    return {table: rows[table] for table in rows.keys() - {"bundles", "replies"}}


def changes(root: Path) -> int:
    left = [10**9]
    world = answered(root)
    reduce_all(world, world.reducer(dying_disk(left)))
    return 10**9 - left[0]


@pytest.mark.parametrize("shard", range(4))
def test_an_empty_second_reducer_makes_the_same_archive(tmp_path: Path, shard: int) -> None:
    total = changes(tmp_path / "count")
    assert total > 20
    expected = None
    for number in range(shard, total, 4):
        world = answered(tmp_path / str(number))
        first = world.reducer(dying_disk([number]))
        with pytest.raises(Killed):
            reduce_all(world, first)
        second = world.root / "archive" / "second.sqlite"
        reduce_all(world, world.reducer(archive=second))
        if expected is None:
            undisturbed = answered(tmp_path / f"undisturbed-{shard}")
            reduce_all(undisturbed, undisturbed.reducer())
            expected = tables(undisturbed)
            assert len(expected["jobs"]) == 6
            assert len(expected["attempts"]) == 1
            assert expected["messages"]
        assert without_bundles(tables(world, second)) == without_bundles(expected), (
            f"killed before change {number}: {state(world)}"
        )
        assert not any(world.layout.replies.iterdir())
        assert check(world.root) == []


def test_the_first_archive_catches_up_when_it_comes_back(tmp_path: Path) -> None:
    world = answered(tmp_path)
    first = world.reducer(dying_disk([12]))
    with pytest.raises(Killed):
        reduce_all(world, first)
    second = world.root / "archive" / "second.sqlite"
    reduce_all(world, world.reducer(archive=second))
    reduce_all(world, world.reducer())
    assert tables(world) == tables(world, second)


def test_a_lost_archive_is_made_again_from_the_spool(tmp_path: Path) -> None:
    world = answered(tmp_path)
    finish(world, world.reducer)
    before = tables(world)
    for path in world.config.archive.parent.glob("park.sqlite*"):
        path.unlink()
    reduce_all(world, world.reducer())
    assert tables(world) == before
    assert len(before["jobs"]) == 7


BATCH = """<session version='2.0.1' user='wwchen' email='' priority='0'>
 <group name='frames'><reduce classname='Chisq'/><task cmd='tester/noop'/>
  <joblist cnt='6'><input dataset='f1'/><input dataset='f2'/></joblist></group>
</session>"""


def fit(job: int) -> str:
    parameters = [{"name": "film", "value": 258.86 + job, "error": 0.1, "unit": "Å", "min": 50, "max": 500}]
    return json.dumps({"chisq": 9.0 / job, "dof": 3, "parameters": parameters})


def test_every_row_of_every_table_is_made_again(tmp_path: Path) -> None:
    """A batch with parameters, data and kept files, controls, a retry, duplicates, and a session that is deleted."""
    world = World(tmp_path, seed=9)
    sid, other = world.admit(xml=BATCH), world.admit(many=1, few=1)
    reducer = world.reducer()

    def go_on() -> None:
        world.let(reducer, turns=3, tick=3.0)

    def answer(first: int, last: int, node: str, status: str = "ok", **place: int) -> None:
        kept = {"a.dat": {"sha256": "ab" * 32, "size": 3}}
        for job in range(first, last + 1):
            said = {"output": fit(job), "data": {"film": "cd" * 32}, "files": kept} if status == "ok" else {"why": "no"}
            world.plant_reply(Unit(sid, 1, 1, job, job + 1, **place), node, status, **said)  # type: ignore[arg-type]
        go_on()

    answer(1, 3, STRANGER)
    answer(4, 4, STRANGER, "failed")
    for verb, number in (("pause", None), ("resume", None), ("priority", 7)):
        controls.say(world.member(), world.layout.session(sid), verb, "wei", number)
    answer(4, 6, STRANGER, "failed", attempt=2)
    retries.open_round(world.member(), world.layout.session(sid), {(1, 1): [(4, 7)]}, "wei")
    answer(4, 6, STRANGER, round=1)
    answer(2, 2, "h8_8_000000")
    spoold = world.member()
    found = admitted.find(spoold.disk, world.layout, other)
    assert found is not None
    ending.bury(spoold, found[1])
    world.clock.now += world.config.audit_seconds
    go_on()
    reducer.leave()
    before = tables(world)
    assert {table for table, rows in before.items() if not rows} == {"deliveries", "reductions"}
    second = world.root / "archive" / "second.sqlite"
    reduce_all(world, world.reducer(archive=second))
    again = tables(world, second)
    for table in before:
        assert again[table] == before[table], table
    assert {row[3] for row in before["events"]} == {"admitted", "pause", "resume", "priority", "retry"}
    assert check(world.root) == []


def test_a_torn_reply_goes_to_quarantine_and_its_job_is_run_again(tmp_path: Path) -> None:
    world = answered(tmp_path)
    torn = sorted(world.layout.replies.iterdir())[2]
    torn.write_bytes(torn.read_bytes()[:-20])
    finish(world, world.reducer)
    assert world.counted() == dict.fromkeys([(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (2, 2)], "ok")
    names = sorted(path.name for path in world.layout.quarantine.iterdir())
    assert names == [torn.name, f"{torn.name}.why"]
    assert "length and SHA-256" in (world.layout.quarantine / names[1]).read_text()
    assert check(world.root) == []


def test_a_reply_torn_at_every_attempt_is_given_up(tmp_path: Path) -> None:
    world = World(tmp_path, seed=5)
    world.submit(many=1, few=1)

    class Tearing(Disk):
        def publish(self, path: Path, data: bytes, durable: bool = False) -> None:
            is_reply = path.parent == world.layout.replies
            super().publish(path, data[:-5] if is_reply else data, durable)

    spoold, node, reducer = world.spoold(), world.node(Tearing), world.reducer()
    for _ in range(600):
        for actor in (spoold, node, reducer):
            actor.step()
        world.clock.now += 0.7
    assert world.counted() == {(1, 1): "lost", (2, 1): "lost"}
    assert check(world.root) == []


def test_two_reducers_that_both_think_they_are_active(tmp_path: Path) -> None:
    """The same replies reduced by two at once, each into an archive of its own: both end the same."""
    world = answered(tmp_path)
    second = world.root / "archive" / "second.sqlite"
    reducers = [world.reducer(), world.reducer(archive=second)]
    for _ in range(60):
        for reducer in reducers:
            reducer.step()
            for lock in world.layout.locks.iterdir():
                lock.unlink()  # nobody sees the other's name
        world.clock.now += 3.0
    for reducer in reducers:
        reducer.leave()
    for archive in (None, second):
        reduce_all(world, world.reducer(**({"archive": archive} if archive else {})))
    ours, theirs = tables(world), tables(world, second)
    # Each has bundles of its own, and a reducer may have been told in another order.
    for table in ours.keys() - {"messages", "texts", "replies"}:
        assert ours[table] == theirs[table], table
