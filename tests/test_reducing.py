"""The reducer, from replies to rows: each result once, in whatever order, and whatever users' reducers or the disk do."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from world import SESSION, STRANGER, World, state

from park_spool import control_requests, naming, sealed, tallies
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.errors import TemporaryError
from park_spool.naming import Unit

TABLES = ("groups", "joblists", "jobs", "results", "history", "attempts")
OTHER = "h8_8_000000"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, 0, attempt)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def chisq(value: float) -> str:
    return json.dumps({"chisq": value})


def reduce_all(world: World, turns: int = 6) -> None:
    reducer = world.reducer()
    world.let(reducer, turns=turns, tick=3.0)
    reducer.leave()


def tables(world: World) -> dict[str, list[tuple[Any, ...]]]:
    return {table: world.rows(table) for table in TABLES}


def query(world: World, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(world.config.archive) as connection:
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


# counting once


def test_a_reply_is_counted_bundled_tallied_and_retired(world: World) -> None:
    sid = world.admit(many=4, few=1)
    world.plant_reply(unit(sid, 1, 4), STRANGER)
    world.plant_reply(unit(sid, joblist=2), STRANGER, "failed", why="it did not converge")
    reduce_all(world)
    assert world.counted() == {(1, 1): "ok", (1, 2): "ok", (1, 3): "ok"}
    assert names(world.layout.replies) == []
    assert world.bundled() == {(1, 1), (1, 2), (1, 3), (2, 1)}
    assert world.tallied() == {(1, 1), (1, 2), (1, 3)}
    assert len(world.rows("attempts")) == 1
    assert check(world.root) == []


def test_the_same_unit_answered_by_two_nodes_is_one_result_and_one_duplicate(world: World) -> None:
    sid = world.admit()
    for node in (STRANGER, OTHER):
        world.plant_reply(unit(sid), node)
    reduce_all(world)
    assert query(world, "SELECT status, node, duplicates FROM jobs") == [("ok", OTHER, 1)]
    assert check(world.root) == []


def test_the_same_reply_again_after_it_was_retired_counts_nothing(world: World) -> None:
    sid = world.admit()
    world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    before = tables(world)
    world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    assert tables(world) == before
    assert names(world.layout.replies) == []


def test_a_late_ok_replaces_a_failure_for_good(world: World) -> None:
    sid = world.admit()
    world.plant_reply(unit(sid, attempt=2), STRANGER, "failed")
    reduce_all(world)
    assert query(world, "SELECT status FROM jobs") == [("failed",)]
    world.plant_reply(unit(sid, attempt=0), OTHER)
    reduce_all(world)
    assert query(world, "SELECT status, duplicates FROM jobs") == [("ok", 1)]


REPLIES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 2),
        st.integers(0, 2),
        st.sampled_from([STRANGER, OTHER]),
        st.sampled_from(["ok", "failed", "lost"]),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=6,
    # No node publishes a unit twice.
    unique_by=lambda reply: (reply[0], min(reply[0] + reply[1], 4), *reply[2:4]),
)


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(REPLIES, st.randoms(use_true_random=False))
def test_every_order_and_every_batching_gives_the_same_archive(
    tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[int, int, int, str, str, int]], choose: random.Random
) -> None:
    found = []
    for order in (sent, choose.sample(sent, len(sent))):
        world = World(tmp_path_factory.mktemp("order"))
        sid = world.admit(many=3, few=1)
        reducer = world.reducer()
        for reply in order:
            start, size, attempt, node, status, value = reply
            one = unit(sid, start, min(start + size, 4), attempt=attempt)
            started = 5000.0 + sent.index(reply)  # no node starts two jobs at one instant in one slot
            world.plant_reply(one, node, status, started=started, output=chisq(value) if status == "ok" else "")
            if choose.random() < 0.5:
                reducer.step()
                world.clock.now += choose.choice((0.1, 3.0))
        world.let(reducer, turns=3, tick=3.0)
        reducer.leave()
        assert names(world.layout.replies) == []
        assert check(world.root) == []
        found.append((tables(world), world.tallied()))
    assert found[0] == found[1]


def test_a_batch_ends_where_it_is_full(tmp_path: Path) -> None:
    world = World(tmp_path, batch_jobs=2)
    sid = world.admit(many=7, few=1)
    for job in range(1, 8):
        world.plant_reply(unit(sid, job, job + 1), STRANGER)
    reducer = world.reducer()
    reducer.step()
    assert len(world.counted()) == 2
    world.let(reducer, turns=6, tick=0.0)
    assert len(world.counted()) == 7
    reducer.leave()
    assert names(world.layout.replies) == []


def test_nothing_is_unlinked_before_its_tally_stands(world: World) -> None:
    sid = world.admit(many=4, few=1)
    reducer = world.reducer()
    for job in range(1, 5):
        world.plant_reply(unit(sid, job, job + 1), STRANGER)
        reducer.step()
        world.clock.now += 0.3
        left = {naming.parse_reply(name)[0].start for name in names(world.layout.replies)}  # type: ignore[index]
        assert {(1, job) for job in range(1, job + 1) if job not in left} <= world.tallied()
    world.let(reducer, turns=2, tick=3.0)
    assert names(world.layout.replies) == []
    assert len(list(world.layout.session(sid).glob("tally.*"))) == 1


def test_a_complete_session_is_tallied_at_once(world: World) -> None:
    sid = world.admit(many=1, few=1)
    reducer = world.reducer()
    world.plant_reply(unit(sid), STRANGER)
    reducer.step()
    world.plant_reply(unit(sid, joblist=2), STRANGER)
    reducer.step()
    assert world.tallied() == {(1, 1), (2, 1)}
    assert query(world, "SELECT state FROM sessions") == [("done",)]


def test_a_session_whose_jobs_failed_for_good_says_so(world: World) -> None:
    sid = world.admit(many=1, few=1)
    world.plant_reply(unit(sid), STRANGER)
    world.plant_reply(unit(sid, joblist=2, attempt=2), STRANGER, "timeout")
    reduce_all(world)
    assert query(world, "SELECT state FROM sessions") == [("failed",)]


# what cannot be reduced


def aside(world: World) -> list[str]:
    return [name for name in names(world.layout.quarantine) if not name.endswith(".why")]


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"", lambda data: bytes(len(data))])
def test_a_torn_reply_is_put_aside_at_the_second_look_only(world: World, spoil: Callable[[bytes], bytes]) -> None:
    sid = world.admit()
    path = world.plant_reply(unit(sid), STRANGER)
    path.write_bytes(spoil(path.read_bytes()))
    reducer = world.reducer()
    reducer.step()
    world.clock.now += world.config.staleness_seconds
    reducer.step()
    assert aside(world) == []
    world.clock.now += 0.1
    reducer.step()
    assert aside(world) == [path.name]
    assert "its jobs are run again" in (world.layout.quarantine / f"{path.name}.why").read_text()
    assert check(world.root) == []


def test_a_reply_that_is_whole_at_the_second_look_counts(world: World) -> None:
    sid = world.admit()
    path = world.plant_reply(unit(sid), STRANGER)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    reducer = world.reducer()
    reducer.step()
    path.write_bytes(whole)
    world.let(reducer, turns=3, tick=3.0)
    assert world.counted() == {(1, 1): "ok"}


def test_replies_for_jobs_that_the_session_has_not_go_aside_and_others_count(world: World) -> None:
    sid = world.admit(many=2, few=1)
    odd = [Unit(sid, 9, 1, 1, 2), Unit(sid, 1, 7, 1, 2), unit(sid, 2, 5)]
    for one in odd:
        world.plant_reply(one, STRANGER)
    world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    assert world.counted() == {(1, 1): "ok"}
    assert aside(world) == sorted(naming.reply_name(one, STRANGER) for one in odd)
    assert check(world.root) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"output": "\ud800 half of a pair"},
        {"output": "[" * 5000},
        {"output": '{"chisq": 1e999, "npoints": "many", "seed": 99999999999999999999999}'},
        {"why": "\ud800", "stderr": "\x00"},
        {"exit": -9, "signal": 11, "data": {"film": "00", "\ud800": [1, {}]}},
        {"started": -1e300, "seconds": 1e308},
        {"started": 0, "seconds": 10**15},
        {"output": "x" * 1_000_000},
        {"unheard": {"of": []}},
    ],
)
@pytest.mark.parametrize("status", ["ok", "failed"])
def test_odd_but_whole_results_are_archived_and_the_line_goes_on(
    world: World, fields: dict[str, Any], status: str
) -> None:
    sid = world.admit()
    world.plant_reply(unit(sid, attempt=2), STRANGER, status, **fields)
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    reduce_all(world)
    assert world.counted() == {(1, 1): status, (1, 2): "ok"}
    assert aside(world) == []


def test_a_reply_of_an_unknown_session_waits_and_does_not_stop_the_others(world: World) -> None:
    """NFS: its session may only not be seen yet."""
    sid = world.admit()
    stray = world.plant_reply(unit("20261123-025532-zzzz"), STRANGER)
    world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    assert world.counted() == {(1, 1): "ok"}
    assert names(world.layout.replies) == [stray.name]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_broken_session_does_not_stop_the_others(world: World, when: str) -> None:
    broken, sound = world.admit(), world.admit()
    if when == "after":
        reduce_all(world)
    (world.layout.session(broken) / "session.json").write_text("{}")
    for sid in (broken, sound):
        world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    assert query(world, "SELECT sid FROM jobs") == [(sound,)]


@pytest.mark.parametrize("body", [b"garbage", sealed.seal(b"no bundle\n"), sealed.seal(b"x -5\nxxxx\n")])
def test_a_bundle_that_cannot_be_read_does_not_stop_the_others(world: World, body: bytes) -> None:
    sid = world.admit()
    folder = world.layout.bundles(sid)
    folder.mkdir()
    (folder / naming.bundle_name(OTHER, 1)).write_bytes(body)
    world.plant_bundle(unit(sid), STRANGER, seq=2)
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    reduce_all(world)
    assert world.counted() == {(1, 1): "ok", (1, 2): "ok"}
    assert sorted(naming.parse_bundle(name)[1] for name in names(folder)) == [1, 2, 3]  # type: ignore[index]


def test_a_foreign_bundle_that_shows_up_is_read(world: World) -> None:
    sid = world.admit()
    reducer = world.reducer()
    reducer.step()
    world.plant_bundle(unit(sid), STRANGER)
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    world.let(reducer, turns=4, tick=3.0)
    reducer.leave()
    assert world.counted() == {(1, 1): "ok", (1, 2): "ok"}
    assert world.tallied() == {(1, 1), (1, 2)}


def test_tallies_of_earlier_reducers_go_when_they_say_nothing_more(world: World) -> None:
    sid = world.admit()
    session = world.layout.session(sid)
    for seq, jobs in ((1, (1, 2)), (2, (4, 5))):
        name = naming.tally_name(f"h{seq}_7_000000", 1)
        (session / name).write_bytes(tallies.encode(tallies.Tally({(1, 1): [jobs]})))
    world.plant_reply(unit(sid), STRANGER)
    reduce_all(world)
    left = [name for name in names(session) if name.startswith("tally.")]
    assert len(left) == 2
    assert naming.tally_name("h2_7_000000", 1) in left


# users' reducers

REDUCERS = {
    "Thrower": """
class Thrower(Reduce):
    def __call__(self, msg):
        self.archive.put({"seen": msg.id}, "x")
        if msg.job == 3:
            raise ValueError("I do not like 3")
""",
    "Summing": """
class Summing(Reduce):
    def __init__(self):
        super().__init__()
        self.total, self.seen = 0.0, []
    def __call__(self, msg):
        self.total += msg.chisq
        self.seen.append(msg.id)
        self.archive.put({"what": "sum"}, "%g of %s" % (self.total, sorted(self.seen)))
        self.msgqueue.putMsg(msg.gid, "sum %g" % self.total)
""",
    "Broken": "class Broken(Reduce:\n",
    "Gone": "class Gone(Reduce):\n    pass\n",
    "Flushing": """
from dataclasses import dataclass, field

from beside import joined

@dataclass
class Kept:
    ids: list = field(default_factory=list)

class Flushing(Reduce):
    OPTIONS = {"between": ", "}

    def __init__(self):
        Reduce.__init__(self)
        self.kept = Kept()

    def __call__(self, reply):
        self.gid = reply.gid
        self.kept.ids.append(f"{reply.id} of {self.group.name} x={reply.input['x']}")

    def flush(self):
        self.archive.put({"gid": self.gid}, joined(self.options["between"], self.kept.ids))
""",
    "FlushThrower": """
class FlushThrower(Reduce):
    def flush(self):
        raise ValueError("I cannot say it")
""",
    "Unmakable": "class Unmakable(Reduce):\n    def __init__(self):\n        raise RuntimeError('no')\n",
}


def with_reducer(tmp_path: Path, classname: str) -> tuple[World, str]:
    folder = tmp_path / "services" / "reduce"
    folder.mkdir(parents=True)
    (folder / f"{classname}.py").write_text(f"from reduce import Reduce\n{REDUCERS[classname]}")
    world = World(tmp_path, services=(tmp_path / "services",))
    return world, world.admit(many=6, few=1, xml=SESSION.format(many=6, few=1).replace("'Chisq'", f"'{classname}'"))


def beside(tmp_path: Path) -> Path:
    """A file that a reducer imports from its own folder."""
    path = tmp_path / "services" / "reduce" / "beside.py"
    path.write_text("def joined(between, words):\n    return between.join(sorted(words))\n")
    return path


def put(
    world: World, sid: str, *jobs: int, value: float = 1.0, attempt: int = 0, status: str = "ok", node: str = STRANGER
) -> None:
    for job in jobs:
        output = chisq(value * job) if status == "ok" else ""
        world.plant_reply(unit(sid, job, job + 1, attempt=attempt), node, status, output=output)


def texts(world: World) -> list[str]:
    return [text for (text,) in query(world, "SELECT text FROM texts ORDER BY text")]


def test_a_reducer_that_throws_is_stopped_with_file_and_line_and_results_go_on(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Thrower")
    reducer = world.reducer()
    put(world, sid, 1, 2)
    reducer.step()
    assert len(query(world, "SELECT * FROM texts")) == 2
    put(world, sid, 3, 4)
    reducer.step()
    put(world, sid, 5, 6)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    [(why,)] = query(world, "SELECT stopped FROM groups")
    assert why == f"ValueError: I do not like 3 ({tmp_path}/services/reduce/Thrower.py, line 7)"
    assert len(query(world, "SELECT * FROM texts")) == 2, "what it kept in the call that failed is undone"
    assert len(world.counted()) == 6
    put(world, sid, 1, node=OTHER)
    reduce_all(world)
    assert query(world, "SELECT stopped FROM groups") == [(why,)]


@pytest.mark.parametrize("classname", ["Broken", "Unmakable", "Gone"])
def test_a_reducer_that_cannot_be_made_is_stopped_and_results_go_on(tmp_path: Path, classname: str) -> None:
    world, sid = with_reducer(tmp_path, classname)
    if classname == "Gone":  # since the admission
        (tmp_path / "services" / "reduce" / "Gone.py").unlink()
    put(world, sid, 1, 2)
    reduce_all(world)
    [(why,)] = query(world, "SELECT stopped FROM groups")
    assert why
    assert len(world.counted()) == 2
    assert check(world.root) == []


def test_a_restart_makes_no_difference_to_a_reducers_state(tmp_path: Path) -> None:
    results = []
    for restarts in (False, True):
        world, sid = with_reducer(tmp_path / str(restarts), "Summing")
        reducer = world.reducer()
        for job in range(1, 7):
            put(world, sid, job)
            world.let(reducer, turns=2, tick=3.0)
            if restarts:
                reducer.leave()
                reducer = world.reducer()
        reducer.leave()
        said = [text for (text,) in query(world, "SELECT text FROM messages ORDER BY rowid")]
        results.append((texts(world), said))
    assert results[0] == results[1]
    assert results[0][0] == ["21 of ['1.1.1', '1.1.2', '1.1.3', '1.1.4', '1.1.5', '1.1.6']"]
    assert results[0][1] == [f"sum {total}" for total in itertools.accumulate(range(1, 7))]


def test_a_replaced_result_is_reduced_from_the_start(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Summing")
    put(world, sid, 1, 2, node=STRANGER)
    reducer = world.reducer()
    world.let(reducer, turns=2, tick=3.0)
    put(world, sid, 2, node=OTHER, value=100.0)  # the smaller node's result counts
    world.let(reducer, turns=2, tick=3.0)
    assert texts(world) == ["201 of ['1.1.1', '1.1.2']"]
    put(world, sid, 3)
    world.let(reducer, turns=2, tick=3.0)
    reducer.leave()
    assert texts(world) == ["204 of ['1.1.1', '1.1.2', '1.1.3']"]
    assert query(world, "SELECT count(*) FROM messages") == [(3,)]


def test_failed_jobs_carry_no_chisq_to_a_reducer(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Summing")
    put(world, sid, 1, attempt=2, status="failed")
    reduce_all(world)
    [(why,)] = query(world, "SELECT stopped FROM groups")
    assert why.startswith("AttributeError: 'ReducedReply' object has no attribute 'chisq'")


# flushing


def test_what_a_reducer_flushes_is_put_once_a_second_and_at_the_end(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Flushing")
    beside(tmp_path)
    reducer = world.reducer()
    expected: list[str] = []
    for job, tick in [(1, 0.1), (2, 0.1), (3, 2.0), (4, 0.1)]:
        put(world, sid, job)
        reducer.step()
        expected.append(f"1.1.{job} of group1 x=1")
        if job in (1, 4):  # at once, if it was not flushed for a while; else when that is due
            assert texts(world) == [", ".join(expected)]
        else:
            assert texts(world) == ["1.1.1 of group1 x=1"]
        world.clock.now += tick
    put(world, sid, 5)
    reducer.step()
    reducer.leave()
    assert texts(world) == [", ".join([*expected, "1.1.5 of group1 x=1"])]
    put(world, sid, 6)
    world.plant_reply(unit(sid, joblist=2), STRANGER, output=chisq(1.0))
    again = world.reducer()
    again.step()
    assert len(texts(world)[0].split(", ")) == 7, "the last reply of a session is flushed with it"
    again.leave()
    assert check(world.root) == []


def test_what_was_not_flushed_when_the_daemon_died_is_put_at_the_end_of_the_session(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Flushing")
    beside(tmp_path)
    reducer = world.reducer()
    put(world, sid, 1)
    reducer.step()
    put(world, sid, 2)
    reducer.step()  # dies here, half a second before it would have flushed
    assert texts(world) == ["1.1.1 of group1 x=1"]
    control_requests.ask(world.member(), sid, "cancel", "wei")
    world.let(world.reducer(), turns=20, tick=3.0)  # it takes over when the dead one's lease has run out
    assert texts(world) == ["1.1.1 of group1 x=1, 1.1.2 of group1 x=1"]


def test_a_reducer_that_throws_in_its_flush_is_stopped(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "FlushThrower")
    put(world, sid, 1, 2)
    reduce_all(world)
    [(why,)] = query(world, "SELECT stopped FROM groups")
    assert why == f"ValueError: I cannot say it ({tmp_path}/services/reduce/FlushThrower.py, line 5)"
    assert len(world.counted()) == 2


def test_a_reducer_that_came_after_the_daemon_started_is_found(tmp_path: Path) -> None:
    world = World(tmp_path, services=(tmp_path / "services",))
    reducer = world.reducer()
    reducer.step()
    folder = tmp_path / "services" / "reduce"
    folder.mkdir(parents=True)
    (folder / "Summing.py").write_text(f"from reduce import Reduce\n{REDUCERS['Summing']}")
    sid = world.admit(xml=SESSION.format(many=4, few=1).replace("'Chisq'", "'Summing'"))
    put(world, sid, 1)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert texts(world) == ["1 of ['1.1.1']"]


# a disk that fails under SQLite


def limit_pages(world: World, reducer: Any, pages: int | None) -> None:
    """Let SQLite say that the disk is full, as it does by itself when a file may not grow any more."""
    connection = reducer._archive._connection
    if pages is None:
        connection.execute("PRAGMA max_page_count = 1073741823")
    else:
        [(count,)] = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count = {count + pages}")


@pytest.mark.parametrize("pages", [0, 1, 2, 5])
def test_a_full_disk_under_the_archive_undoes_the_batch_and_it_is_tried_again(tmp_path: Path, pages: int) -> None:
    world, sid = with_reducer(tmp_path, "Summing")
    reducer = world.reducer()
    put(world, sid, 1)
    world.let(reducer, turns=2, tick=3.0)
    limit_pages(world, reducer, pages)
    for job in range(2, 7):
        output = json.dumps({"chisq": float(job), "filling": "x" * 20_000})
        world.plant_reply(unit(sid, job, job + 1), STRANGER, output=output)
    for _ in range(3):
        world.clock.now += 3.0
        with pytest.raises(TemporaryError, match="full"):
            reducer.step()
        assert world.counted() == {(1, 1): "ok"}
        assert texts(world) == ["1 of ['1.1.1']"]
        assert len(names(world.layout.replies)) == 5
        # They are durable before they count, and bundled once however often the commit fails.
        assert world.bundled() == {(1, job) for job in range(1, 7)}
        assert len(names(world.layout.bundles(sid))) == 2
    limit_pages(world, reducer, None)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert len(world.counted()) == 6
    assert texts(world) == ["21 of ['1.1.1', '1.1.2', '1.1.3', '1.1.4', '1.1.5', '1.1.6']"]
    assert names(world.layout.replies) == []
    assert check(world.root) == [], state(world)


def test_a_commit_that_fails_at_its_end_undoes_what_reducers_have_seen(tmp_path: Path) -> None:
    world, sid = with_reducer(tmp_path, "Summing")
    failures = [1, 2, 3]

    class Failing(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "commit" and len(world.rows("jobs")) == 1 and failures:
                raise OSError(errno.EIO, f"Input/output error {failures.pop()}", str(path))

    reducer = world.reducer(Failing)
    put(world, sid, 1)
    world.let(reducer, turns=2, tick=3.0)
    put(world, sid, 2, 3)
    while failures:
        with pytest.raises(OSError, match="Input/output error"):
            reducer.step()
        assert texts(world) == ["1 of ['1.1.1']"]
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert texts(world) == ["6 of ['1.1.1', '1.1.2', '1.1.3']"]
    assert query(world, "SELECT count(*) FROM messages") == [(3,)]
    assert names(world.layout.replies) == []


def test_a_standby_takes_over_when_the_active_one_leaves(world: World) -> None:
    sid = world.admit()
    first, second = world.reducer(), world.reducer()
    first.step()
    assert not second.step()
    world.plant_reply(unit(sid), STRANGER)
    world.let(second, turns=4, tick=1.0)
    assert len(names(world.layout.replies)) == 1
    first.leave()
    world.let(second, turns=5, tick=3.0)
    second.leave()
    assert names(world.layout.replies) == names(world.layout.locks) == []
    assert world.counted() == {(1, 1): "ok"}


def test_a_reply_of_a_session_that_was_never_admitted_goes_to_quarantine(world: World) -> None:
    sid = world.admit()
    stray = unit("20260101-000000-zzzz")
    world.plant_reply(stray, STRANGER)
    world.plant_reply(unit(sid), STRANGER)
    reducer = world.reducer()
    world.let(reducer, turns=10, tick=3.0)
    assert len(names(world.layout.replies)) == 1, "it may only be seen late"
    world.let(reducer, turns=50, tick=3.0)
    reducer.leave()
    name = naming.reply_name(stray, STRANGER)
    assert names(world.layout.quarantine) == [name, f"{name}.why"]
    assert "never admitted" in (world.layout.quarantine / f"{name}.why").read_text()
    assert world.counted() == {(1, 1): "ok"}
    assert check(world.root) == []
