"""What users say after a session was sent, as the reducer takes it in: retries, controls, deletion, in every order."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from world import SESSION, STRANGER, Actors, World, dying_disk

from park_spool import controls, retries, sealed, tallies
from park_spool.archive import blocks, checking
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.reducing import known, notes, sessions

OTHER = "h8_8_000000"
TABLES = ("groups", "joblists", "jobs", "results", "history", "attempts", "duplicates", "final_ranges", "retries")
ALL = {(1, 1): [(1, 4)], (1, 2): [(1, 2)]}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_doctests() -> None:
    import doctest

    assert [doctest.testmod(module).failed for module in (known, notes, sessions)] == [0, 0, 0]


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, round_: int = 0, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, round_, attempt)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def say(world: World, sid: str, verb: str, argument: int | None = None) -> None:
    controls.say(world.member(), folder_of(world, sid), verb, "wei", argument)


def folder_of(world: World, sid: str) -> Path:
    here = world.layout
    return here.session(sid) if here.session(sid).is_dir() else here.closed_session(sid)


def retry(world: World, sid: str, jobs: retries.Jobs) -> int:
    return retries.open_round(world.member(), folder_of(world, sid), jobs, "wei")


def close(world: World, sid: str) -> None:
    world.layout.session(sid).rename(world.layout.closed_session(sid))


def bury(world: World, sid: str, note: dict[str, Any] | None = None) -> None:
    """Delete a session as spoold does: at the instant of the tombstone it is deleted."""
    world.layout.tombstone(sid).write_bytes(json.dumps(note or {}).encode())
    folder_of(world, sid).rename(world.layout.tmp / f"{STRANGER}.1")


def reduce_all(world: World, turns: int = 6, **settings: Any) -> None:
    reducer = world.reducer(**settings)
    world.let(reducer, turns=turns, tick=3.0)
    reducer.leave()


def tables(world: World, archive: Path | None = None) -> dict[str, list[tuple[Any, ...]]]:
    assert checking.check(archive or world.config.archive) == []
    return {table: world.rows(table, archive) for table in TABLES}


def session_row(world: World, archive: Path | None = None) -> tuple[str, float | None, int]:
    [row] = world.rows("sessions", archive)
    return row[5], row[7], row[4]


def fail_for_good(world: World, sid: str) -> None:
    """Two jobs are ok, two failed for good: the session is complete."""
    world.plant_reply(unit(sid, 1, 3), STRANGER)
    for one in (unit(sid, 3, 4, attempt=2), unit(sid, joblist=2, attempt=2)):
        world.plant_reply(one, STRANGER, "failed", why="it did not converge")


# retries


def test_a_retry_opens_what_failed_and_a_tally_says_so_at_once(world: World) -> None:
    sid = world.admit(many=3, few=1)
    fail_for_good(world, sid)
    reducer = world.reducer()
    world.let(reducer, turns=2, tick=3.0)
    assert session_row(world)[0] == "failed"
    assert retry(world, sid, ALL) == 1
    world.clock.now += world.config.control_seconds
    reducer.step()
    assert session_row(world)[:2] == ("running", None)
    assert world.counted() == {(1, 1): "ok", (1, 2): "ok"}
    tally = tallies.read(Disk(world.layout.tmp, "test"), world.layout.session(sid), {})
    assert (tally.round, tally.final) == (1, {(1, 1): [(1, 3)]})
    assert tally.failures == {(1, 1): [(3, 0, 2)], (1, 2): [(1, 0, 2)]}
    for one in (unit(sid, 3, 4, round_=1), unit(sid, joblist=2, round_=1)):
        world.plant_reply(one, OTHER)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert session_row(world)[0] == "done"
    assert len(world.rows("attempts")) == 2
    assert names(world.layout.replies) == []
    assert check(world.root) == []


def test_a_retry_of_a_closed_session_that_was_opened_again(world: World) -> None:
    sid = world.admit(many=3, few=1)
    fail_for_good(world, sid)
    reducer = world.reducer()
    world.let(reducer, turns=3, tick=3.0)
    close(world, sid)
    world.let(reducer, turns=2, tick=3.0)
    assert session_row(world)[0] == "failed"
    retry(world, sid, ALL)
    world.layout.closed_session(sid).rename(world.layout.session(sid))
    reducer.step()
    assert session_row(world)[:2] == ("running", None)
    assert world.tallied() == {(1, 1), (1, 2)}
    reducer.leave()


def test_a_damaged_retry_counts_for_nobody(world: World) -> None:
    sid = world.admit(many=3, few=1)
    fail_for_good(world, sid)
    (world.layout.session(sid) / "retry.01.aaaaaa").write_bytes(b"half of")
    reduce_all(world)
    assert session_row(world)[0] == "failed"


def test_a_reducer_is_redone_without_what_is_not_final_any_more(tmp_path: Path) -> None:
    folder = tmp_path / "services" / "reduce"
    folder.mkdir(parents=True)
    (folder / "Seen.py").write_text(
        "from reduce import Reduce\nclass Seen(Reduce):\n    def __call__(self, msg):\n"
        "        assert msg.status == 'ok', 'a failure'\n        self.archive.put({'id': msg.id}, 'x')\n"
    )
    world = World(tmp_path, services=(tmp_path / "services",))
    sid = world.admit(xml=SESSION.format(many=3, few=1).replace("'Chisq'", "'Seen'"))
    fail_for_good(world, sid)
    reduce_all(world)
    [(*_, stopped)] = world.rows("groups")
    assert "a failure" in stopped
    retry(world, sid, ALL)
    reduce_all(world)
    assert [row[-1] for row in world.rows("groups")] == [None]
    assert len(world.rows("texts")) == 2


Event = tuple[str, Any]
REPLIES = st.lists(
    st.tuples(
        st.integers(1, 4),  # the fourth is the other job list's only one
        st.integers(0, 2),
        st.integers(1, 2).map(lambda number: number % 3),
        st.sampled_from([STRANGER, OTHER]),
        st.sampled_from(["ok", "failed", "failed", "cancelled"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda reply: reply[:4],  # no node publishes a unit twice
)
ROUNDS = st.lists(st.sets(st.integers(1, 4), min_size=1), min_size=1, max_size=2)


def place(job: int) -> tuple[int, int]:
    return (1, job) if job < 4 else (2, 1)


@mock.patch.object(blocks, "LEAST", 1)
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(REPLIES, ROUNDS, st.randoms(use_true_random=False))
def test_retries_before_among_and_after_the_replies_and_an_empty_archive_give_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory,
    sent: list[tuple[int, int, int, str, str]],
    named: list[set[int]],
    choose: random.Random,
) -> None:
    events: list[Event] = [*(("retry", jobs) for jobs in named), *(("reply", reply) for reply in sent)]
    shuffled = choose.sample(events, len(events))
    xml = SESSION.format(many=3, few=1)
    if choose.random() < 0.5:  # without a reducer, results are stored as blocks where they can be
        xml = xml.replace("<reduce classname='Chisq'/>", "")
    found = []
    for order in (events, events[::-1], shuffled):
        world = World(tmp_path_factory.mktemp("order"))
        sid = world.admit(xml=xml)
        reducer = world.reducer()
        for event in order:
            happen(world, sid, event, named, sent)
            if choose.random() < 0.5:
                reducer.step()
                world.clock.now += choose.choice((0.1, 3.0))
        world.let(reducer, turns=3, tick=3.0)
        reducer.leave()
        empty = world.root / "archive" / "again.sqlite"
        reduce_all(world, turns=3, archive=empty)
        assert tables(world, empty) == tables(world)
        assert session_row(world, empty) == session_row(world)
        assert names(world.layout.replies) == []
        assert check(world.root) == []
        found.append((tables(world), session_row(world)))
    assert found[0] == found[1] == found[2]


def happen(world: World, sid: str, event: Event, named: list[set[int]], sent: list[Any]) -> None:
    what, value = event
    if what == "retry":
        number = named.index(value) + 1
        jobs: dict[tuple[int, int], Any] = {}
        for joblist, job in sorted(map(place, value)):
            jobs.setdefault((1, joblist), []).append((job, job + 1))
        path = world.layout.session(sid) / f"retry.{number:02d}.{number:06d}"
        path.write_bytes(retries.encode(jobs, "wei", 5.0))
        return
    job, attempt, round_, node, status = value
    joblist, number = place(job)
    one = unit(sid, number, number + 1, joblist, round_, attempt)
    fields = {"started": 5000.0 + sent.index(value)} | ({} if status == "ok" else {"why": f"why {value}"})
    world.plant_reply(one, node, status, **fields)


def test_a_reducer_killed_anywhere_in_a_retry_or_a_deletion_ends_the_same(tmp_path: Path) -> None:
    """The whole story, killed before each change of the spool, then taken up by another process."""
    left = [10**9]
    expected = story(tmp_path / "whole", left)
    for number in range(10**9 - left[0]):
        assert story(tmp_path / str(number), [number]) == expected, f"killed before change {number}"


def story(root: Path, left: list[int]) -> dict[str, list[tuple[Any, ...]]]:
    world = World(root)
    sid, other = world.admit(many=3, few=1), world.admit(many=3, few=1)
    world.plant_reply(unit(other), STRANGER)
    actors = Actors({"reducer": lambda: world.reducer(dying_disk(left))})

    def go_on() -> None:
        for _ in range(5):
            actors.step()
            world.clock.now += world.config.lease_expiry + 1  # so that who comes next takes over

    fail_for_good(world, sid)
    go_on()
    retry(world, sid, ALL)
    world.plant_reply(unit(sid, 3, 4, round_=1), OTHER)
    go_on()
    bury(world, other, {"at": 5.0})
    go_on()
    assert names(world.layout.replies) == []
    assert names(world.layout.reduced) == [sid]
    assert tallies.read(Disk(world.layout.tmp, "test"), world.layout.session(sid), {}).round == 1
    assert len(world.rows("attempts")) == 2
    # Names and times are drawn for each world anew.
    return {table: [row[1:] for row in world.rows(table)] for table in set(TABLES) - {"retries"}}


# events


def test_what_happened_to_a_session_is_kept_with_who_and_when(world: World) -> None:
    sid = world.admit(many=3, few=1)
    reducer = world.reducer()
    fail_for_good(world, sid)
    world.let(reducer, turns=2, tick=3.0)
    say(world, sid, "priority", -5)
    retry(world, sid, ALL)
    world.let(reducer, turns=2, tick=3.0)
    reducer.leave()
    rows = sorted(world.rows("events"), key=lambda row: row[3])
    [(_, _, received, *admission), (_, priority, at, *said), (_, name, _, *again)] = rows
    assert (
        admission == ["admitted", world.rows("sessions")[0][1], "film.xml"] and received == world.rows("sessions")[0][6]
    )
    assert said == ["priority", "wei", "-5"] and at >= 1_795_401_000.0 and priority.startswith("control.000000001.")
    assert again == ["retry", "wei", "round 1, 4 jobs"] and name.startswith("retry.01.")


def test_a_control_whose_words_come_late_is_read_once_more(world: World) -> None:
    sid = world.admit(many=3, few=1)
    reducer = world.reducer()
    world.let(reducer, turns=1, tick=world.config.control_seconds)
    early, never = (world.layout.session(sid) / f"control.00000000{number}.x0p2qa.pause" for number in (1, 2))
    for path in (early, never):
        path.touch()
    world.let(reducer, turns=1, tick=world.config.control_seconds)
    assert session_row(world)[0] == "paused"
    assert [row[2] for row in world.rows("events") if row[3] == "pause"] == [None, None]
    early.write_text('{"by": "wei", "at": 5}\n')
    world.let(reducer, turns=1, tick=world.config.control_seconds)
    assert sorted((row[1], row[2], row[4]) for row in world.rows("events") if row[3] == "pause") == [
        (early.name, 5.0, "wei"),
        (never.name, None, ""),
    ]
    before = reducer._archive._connection.total_changes  # type: ignore[union-attr]
    world.let(reducer, turns=3, tick=world.config.control_seconds)
    assert reducer._archive._connection.total_changes == before  # type: ignore[union-attr]
    reducer.leave()


# controls


def test_pause_and_resume_show_in_the_archive(world: World) -> None:
    sid = world.admit(many=3, few=1)
    reducer = world.reducer()
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("pause", "paused")):
        say(world, sid, verb)
        world.let(reducer, turns=1, tick=world.config.control_seconds)
        assert session_row(world)[0] == state
    world.plant_reply(unit(sid), STRANGER)
    reducer.step()
    assert session_row(world)[0] == "paused"
    say(world, sid, "resume")
    world.clock.now += world.config.control_seconds
    reducer.step()
    assert session_row(world)[0] == "running"
    reducer.leave()


def test_a_priority_that_was_said_later_shows(world: World) -> None:
    sid = world.admit()
    reducer = world.reducer()
    reducer.step()
    say(world, sid, "priority", -7)
    world.clock.now += world.config.control_seconds
    reducer.step()
    reducer.leave()
    assert session_row(world) == ("queued", None, -7)


def test_a_cancelled_session_stays_so_and_keeps_what_there_is(world: World) -> None:
    sid = world.admit(many=2, few=1)
    reducer = world.reducer()
    world.plant_reply(unit(sid), STRANGER, output='{"chisq": 5}')
    reducer.step()
    say(world, sid, "cancel")
    world.clock.now += world.config.control_seconds
    reducer.step()
    state, closed, _ = session_row(world)
    assert state == "cancelled"
    assert closed is not None
    world.plant_reply(unit(sid, 2, 3, attempt=2), STRANGER, "cancelled", why="cancelled while it ran")
    world.plant_reply(unit(sid, joblist=2), STRANGER)
    world.let(reducer, turns=3, tick=3.0)
    assert session_row(world)[:2] == (state, closed)
    assert world.counted() == {(1, 1): "ok", (2, 1): "ok"}
    assert [row[7] for row in world.rows("attempts")] == ["cancelled"]
    assert len(world.rows("best")) == 1
    world.plant_reply(unit(sid, 2, 3, attempt=1), STRANGER)
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert len(world.counted()) == 3
    assert session_row(world)[:2] == (state, closed), "all jobs are final, and it was cancelled all the same"
    assert names(world.layout.replies) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_a_session_that_was_cancelled_and_closed_while_nobody_reduced(world: World, is_known: bool) -> None:
    sid = world.admit()
    if is_known:
        reduce_all(world)
    say(world, sid, "cancel")
    close(world, sid)
    reduce_all(world)
    assert session_row(world)[0] == "cancelled"


def test_a_session_that_is_cancelled_and_closed_between_two_looks(world: World) -> None:
    sid = world.admit()
    reducer = world.reducer()
    reducer.step()
    say(world, sid, "cancel")
    close(world, sid)
    reducer.step()
    reducer.leave()
    assert session_row(world)[0] == "cancelled"


# deletion


def test_a_deleted_session_leaves_one_line_and_no_bundles(world: World) -> None:
    sid, other = world.admit(), world.admit()
    for one in (sid, other):
        world.plant_reply(unit(one), STRANGER)
    reducer = world.reducer()
    world.let(reducer, turns=2, tick=3.0)
    say(world, sid, "delete")
    world.let(reducer, turns=1, tick=3.0)
    bury(world, sid)
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    world.let(reducer, turns=2, tick=3.0)
    reducer.leave()
    assert sorted((row[0], row[5]) for row in world.rows("sessions")) == sorted([(sid, "deleted"), (other, "running")])
    assert {row[0] for row in world.rows("jobs")} == {other}
    assert names(world.layout.reduced) == [other]
    assert names(world.layout.replies) == [], "dropped, uncounted"
    assert [name for name in names(world.layout.tmp) if sid in name] == []


@pytest.mark.parametrize("is_known", [True, False])
def test_a_session_that_was_deleted_while_nobody_reduced(world: World, is_known: bool) -> None:
    sid = world.admit()
    world.plant_reply(unit(sid), STRANGER)
    if is_known:
        reduce_all(world)
    else:
        world.plant_bundle(unit(sid, 2, 3), STRANGER)
    bury(world, sid, {"user": "wei", "at": 77.0})
    reduce_all(world)
    [row] = world.rows("sessions")
    assert (row[0], row[5], row[7], row[8], row[9]) == (sid, "deleted", 77.0, "", "")
    assert row[1] == ("wwchen" if is_known and row[1] == "wwchen" else row[1])
    assert world.rows("jobs") == []
    assert names(world.layout.reduced) == names(world.layout.replies) == []


def test_bundles_that_a_crash_left_of_a_deleted_session_go_at_the_next_start(world: World) -> None:
    sid = world.admit()
    bury(world, sid)
    reduce_all(world)
    world.plant_bundle(unit(sid), STRANGER)
    reduce_all(world)
    assert names(world.layout.reduced) == []
    assert world.rows("jobs") == []


def test_a_tombstone_that_nobody_saw_coming_is_found_in_time(world: World) -> None:
    """A closed session may be opened, deleted and gone between two looks."""
    sid = world.admit(many=1, few=1)
    for joblist in (1, 2):
        world.plant_reply(unit(sid, joblist=joblist), STRANGER)
    reducer = world.reducer()
    world.let(reducer, turns=2, tick=3.0)
    close(world, sid)
    world.let(reducer, turns=2, tick=3.0)
    bury(world, sid)
    world.let(reducer, turns=2, tick=world.config.audit_seconds)
    reducer.leave()
    assert session_row(world)[0] == "deleted"
    assert session_row(world)[1] is not None


@pytest.mark.parametrize("note", [b"", b"\xff", b"[1]", b'{"at": "now"}', sealed.seal_json({"at": 5.0, "received": 1})])
def test_a_note_that_cannot_be_read_is_none(world: World, note: bytes) -> None:
    sid = world.admit()
    reducer = world.reducer()
    reducer.step()
    (world.layout.session(sid) / "control.000000001.aaaaaa.cancel").write_bytes(note)
    world.let(reducer, turns=2, tick=3.0)
    assert session_row(world)[0] == "cancelled"
    bury(world, sid)
    world.layout.tombstone(sid).write_bytes(note)
    world.let(reducer, turns=2, tick=3.0)
    reducer.leave()
    assert session_row(world)[0] == "deleted"


def test_the_files_of_a_job_are_archived(world: World) -> None:
    sid = world.admit()
    world.plant_reply(unit(sid), STRANGER, files={"fit.dat": {"sha256": "ab" * 32, "size": 7}})
    reduce_all(world)
    assert world.rows("files") == [(sid, 1, 1, 1, "fit.dat", "ab" * 32, 7)]
