"""The asker, step by step in one process: what it leaves on the spool, and what becomes of every call."""

from __future__ import annotations

import errno
import json
import os
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest
from asking import Caller, calling_node, left_of
from world import STRANGER, World, state

from park_spool import controls, naming, pickling, sealed, tags
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.client.offering import KEPT_FUNCTIONS
from park_spool.errors import CallError, PermanentError
from park_spool.looking.standing import Look, Standing
from park_spool.naming import Unit
from park_spool.pickling import Raised
from park_spool.tending.role import Tending


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heartbeat_seconds=2.0, unit_lifetime=6.0, claim_expiry=12.0, audit_seconds=6.0)


PYTHON = tags.python(sys.version_info[:2])


def square(x: int) -> int:
    return x * x


def fail(text: str) -> None:
    raise ValueError(text)


def opened(world: World, **wanted: Any) -> Caller:
    """An executor whose session was admitted, on a spool that nobody tends any more; it believes in four CPUs."""
    report = {"node": "h8_8_000000", "cpus": 4, "busy": 4, "identity": {}, "tags": [PYTHON, "gpu", "n4"]}
    (world.layout.nodes / naming.heartbeat_name("h8_8_000000", 1)).write_bytes(sealed.seal_json(report))
    caller, spoold = Caller(world, **wanted), world.spoold()
    world.let(spoold, caller, turns=3)
    spoold.resign()
    return caller


def test_calls_are_answered_and_nothing_is_left(world: World) -> None:
    caller = Caller(world)
    actors = [world.spoold(), calling_node(world), world.reducer(), caller]
    futures = caller.call(square, *range(40))
    [bad] = caller.call(fail, "no film")
    world.let(*actors, turns=30)
    assert [future.result(0) for future in futures] == [x * x for x in range(40)]
    assert isinstance(bad.exception(0), ValueError) and "no film" in str(bad.exception(0).__cause__)
    assert not [path for path in world.layout.calls(caller.sid).iterdir() if naming.parse_payload(path.name)]
    caller.asker.shut()
    world.let(*actors, turns=12)
    assert caller.asker.is_over and left_of(world, caller.sid) == []
    assert check(world.root) == [], state(world)


def test_functions_are_sent_once_and_payloads_hold_what_a_unit_needs(world: World) -> None:
    caller = opened(world)
    caller.call(square, 1, 2)
    caller.step()
    folder = world.layout.calls(caller.sid)
    functions = [path for path in folder.iterdir() if len(path.name) == 64]
    before = {path.name: path.stat().st_ino for path in functions}
    caller.call(square, 3)
    caller.step()
    assert len(before) == 2, "the function and the context"
    assert {path.name: path.stat().st_ino for path in folder.iterdir() if len(path.name) == 64} == before
    payloads = sorted(path.name for path in folder.iterdir() if naming.parse_payload(path.name))
    assert payloads == [naming.payload_name(unit.start, unit.stop) for unit in caller.stands_ready()]
    assert folder.stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o022 == 0 for path in folder.iterdir())


def test_nothing_is_written_for_others_whatever_the_umask(world: World) -> None:
    before = os.umask(0)
    try:
        caller = opened(world)
        caller.call(square, 1)
        caller.step()
    finally:
        os.umask(before)
    folder = world.layout.calls(caller.sid)
    assert all(path.stat().st_mode & 0o022 == 0 for path in (folder, *folder.iterdir()))


def test_many_functions_do_not_fill_the_spool(world: World) -> None:
    caller = Caller(world)
    actors = [world.spoold(), calling_node(world), caller]
    for number in range(3 * KEPT_FUNCTIONS):
        caller.call(lambda x, number=number: x + number, 1)
        world.let(*actors, turns=2)
    world.let(*actors, turns=6)
    assert [future.result(0) for future in caller.futures] == [1 + number for number in range(3 * KEPT_FUNCTIONS)]
    kept = [path for path in world.layout.calls(caller.sid).iterdir() if len(path.name) == 64]
    assert len(kept) <= 2 * KEPT_FUNCTIONS
    again = caller.call(lambda x, number=0: x + number, 5)  # its function was forgotten, and is sent again
    world.let(*actors, turns=6)
    assert again[0].result(0) == 5


def test_signs_of_life_are_renewed_and_counted(world: World) -> None:
    caller = opened(world)
    folder = world.layout.calls(caller.sid)
    seen = set()
    caller.call(square, 1, 2, 3)
    for _ in range(10):
        caller.step()
        [name] = [path.name for path in folder.iterdir() if naming.parse_alive(path.name)]
        seen.add(name)
        world.clock.now += 1.0
    assert len(seen) >= 4
    said = sealed.unseal_json((folder / max(seen)).read_bytes())
    assert (said["made"], said["done"], said["identity"]["host"]) == (3, 0, caller.asker._member.identity.host)


def test_an_idle_asker_sleeps_until_its_next_sign_of_life(world: World) -> None:
    caller = opened(world)
    caller.step()
    assert caller.asker.wait_seconds() == pytest.approx(world.config.heartbeat_seconds, abs=1.0)
    caller.call(square, 1)
    caller.step()
    assert caller.asker.wait_seconds() < 0.01
    world.clock.now += 0.5
    assert caller.asker.wait_seconds() == pytest.approx(0.05)


def test_a_session_that_waits_to_be_admitted_is_looked_for(world: World) -> None:
    caller = Caller(world)
    caller.call(square, 1)
    for _ in range(20):
        caller.step()
        world.clock.now += 1.0
    assert not caller.is_answered and caller.stands_ready() == []
    world.let(world.spoold(), calling_node(world), caller, turns=5)
    assert caller.is_answered


def test_status_shows_it_from_the_spool(world: World) -> None:
    caller = opened(world, name="fit of a film")
    assert (one(world, caller).state, one(world, caller).jobs) == ("running", 0)
    futures = caller.call(square, *range(5))
    caller.step()
    assert futures[0].unit is not None
    world.plant_reply(futures[0].unit, STRANGER, output=pickling.to_text(pickling.dumps(0)))
    for _ in range(4):
        caller.step()
        world.clock.now += 1.0
    shown = one(world, caller)
    assert (shown.file, shown.state, shown.jobs, shown.final) == ("fit of a film", "running", 5, 1)
    [sign] = [path for path in world.layout.calls(caller.sid).iterdir() if naming.parse_alive(path.name)]
    sign.write_bytes(b"torn")
    assert (one(world, caller).jobs, one(world, caller).final) == (0, 0)
    controls.say(world.member(), world.layout.session(caller.sid), "pause", "anna")
    assert one(world, caller).state == "paused"


def one(world: World, caller: Caller) -> Standing:
    return Look(world.config).one(caller.sid)


# priorities, pauses


def test_another_priority_counts_for_what_is_offered_next(world: World) -> None:
    caller = opened(world, priority=-5)
    caller.call(square, 1)
    caller.step()
    controls.say(world.member(), world.layout.session(caller.sid), "priority", "anna", 7)
    caller.call(square, 2)
    caller.step()
    ranks = sorted(path.parent.name.partition("+")[0] for path in world.layout.ready.glob("*/*"))
    assert ranks == ["093-100", "105-100"]


def test_a_paused_executor_offers_nothing_until_it_goes_on(world: World) -> None:
    caller = Caller(world)
    spoold = world.spoold()
    world.let(spoold, caller, turns=3)
    first = caller.call(square, 1)
    world.let(spoold, caller, turns=1)
    controls.say(world.member(), world.layout.session(caller.sid), "pause", "anna")
    second = caller.call(square, 2)
    world.let(spoold, caller, turns=60)
    assert caller.stands_ready() == []
    node = calling_node(world)
    controls.say(world.member(), world.layout.session(caller.sid), "resume", "anna")
    world.let(spoold, caller, node, turns=20)
    assert [future.result(0) for future in (*first, *second)] == [1, 4]
    assert check(world.root) == []


# cancelling


def test_a_waiting_call_is_taken_back_and_the_others_of_its_unit_are_offered_again(world: World) -> None:
    caller = opened(world)
    node, spoold = calling_node(world), world.spoold()
    warm = caller.call(square, *range(20))
    world.let(spoold, node, caller, turns=20)
    assert caller.is_answered
    futures = caller.call(square, *range(24))
    caller.step()
    [unit] = {future.unit for future in futures[:4]}
    assert unit in caller.stands_ready() and unit is not None and unit.size >= 4
    assert futures[2].cancel() and futures[2].cancelled() and futures[2].cancel()
    assert unit not in caller.stands_ready()
    caller.step()
    assert all(not one.start <= futures[2].job < one.stop for one in caller.stands_ready())
    world.let(spoold, node, caller, turns=20)
    assert [future.result(0) for future in futures if future is not futures[2]] == [x * x for x in range(24) if x != 2]
    assert not warm[0].cancel() and not warm[0].cancelled()
    assert check(world.root) == []


def test_a_call_that_a_node_has_is_not_cancelled_and_is_seen_to_run(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    assert not future.running()
    caller.step()
    assert not future.running() and future.unit is not None
    claim = world.layout.ready / caller.asker._entry.rank / future.unit.name
    (world.layout.claimed / STRANGER).mkdir()
    claim.rename(world.layout.claimed / STRANGER / future.unit.name)
    assert not future.cancel() and not future.cancelled()
    assert future.running() and future.running()
    world.plant_reply(future.unit, STRANGER, output="", why="killed", status="failed")
    caller.step()
    assert not future.running() and isinstance(future.exception(0), CallError)


def test_a_unit_that_stands_under_another_rank_is_found(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    assert future.unit is not None
    (world.layout.ready / "001-001").mkdir()
    (world.layout.ready / caller.asker._entry.rank / future.unit.name).rename(
        world.layout.ready / "001-001" / future.unit.name
    )
    assert not future.running()
    assert future.cancel()
    assert caller.stands_ready() == []


def test_a_call_that_was_never_sent_is_cancelled_without_a_trace(world: World) -> None:
    caller = Caller(world)
    futures = caller.call(square, *range(5))
    assert futures[3].cancel() and futures[0].cancel()
    world.let(world.spoold(), calling_node(world), caller, turns=8)
    assert [future.result(0) for future in futures if not future.cancelled()] == [1, 4, 16]
    assert sum(future.cancelled() for future in futures) == 2


def test_all_waiting_calls_are_taken_back_at_once(world: World) -> None:
    caller = opened(world)
    offered = caller.call(square, *range(3))
    caller.step()
    (world.layout.claimed / STRANGER).mkdir()
    unit = offered[0].unit
    assert unit is not None
    (world.layout.ready / caller.asker._entry.rank / unit.name).rename(world.layout.claimed / STRANGER / unit.name)
    queued = caller.call(square, *range(3))
    dropped = caller.asker.shut(cancel=True)
    for future in dropped:
        future.drop()
    assert {id(one) for one in dropped} == {id(one) for one in (*offered[1:], *queued)}
    assert all(future.cancelled() for future in dropped) and caller.stands_ready() == []
    caller.step()
    assert not caller.asker.is_over, "a call runs"
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        caller.call(square, 1)


# what breaks


def test_whoever_cancels_the_session_breaks_the_executor(world: World) -> None:
    caller = opened(world)
    futures = caller.call(square, *range(3))
    caller.step()
    controls.say(world.member(), world.layout.session(caller.sid), "cancel", "anna")
    world.let(caller, turns=4)
    for future in futures:
        with pytest.raises(BrokenExecutor, match=rf"session {caller.sid} of this executor was cancelled by anna"):
            future.result(0)
    with pytest.raises(BrokenExecutor, match="was cancelled by anna"):
        caller.call(square, 1)
    assert caller.asker.is_over and not futures[0].cancel()
    world.let(world.spoold(), turns=8)
    assert left_of(world, caller.sid) == []


def test_a_node_that_hears_of_it_first_makes_no_difference(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    controls.say(world.member(), world.layout.session(caller.sid), "cancel", "anna")
    assert future.unit is not None
    world.plant_reply(future.unit, STRANGER, "cancelled", why="cancelled while it ran")
    caller.step()
    assert not future.done() and os.listdir(world.layout.replies) == []
    world.let(caller, turns=4)
    assert isinstance(future.exception(0), BrokenExecutor)


@pytest.mark.parametrize("is_idle", [False, True])
def test_a_session_that_is_gone_breaks_it(world: World, is_idle: bool) -> None:
    caller, spoold = Caller(world), world.spoold()
    world.let(spoold, caller, turns=3)
    if not is_idle:
        caller.call(square, *range(3))
    controls.say(world.member(), world.layout.session(caller.sid), "delete", "anna")
    world.let(spoold, turns=8)
    world.let(caller, turns=2)
    with pytest.raises(BrokenExecutor, match="was cancelled or deleted: its calls are lost"):
        caller.call(square, 1)
    assert all(isinstance(future.exception(0), BrokenExecutor) for future in caller.futures)
    assert left_of(world, caller.sid) == [] and caller.asker.is_over


def test_a_rejected_session_breaks_it_with_the_reason(world: World) -> None:
    caller = Caller(world)
    world.let(Tending(world.member(functions_by_value=False)), caller, turns=5)
    with pytest.raises(
        BrokenExecutor, match=r"was rejected: calls.xml: .*functions that a Python program brings along"
    ):
        caller.call(square, 1)
    assert caller.asker.is_over and not world.layout.calls(caller.sid).exists()


def test_a_session_that_vanishes_from_the_inbox_breaks_it(world: World) -> None:
    caller = Caller(world)
    [future] = caller.call(square, 1)
    for path in world.layout.inbox.iterdir():
        path.unlink()
    for _ in range(10):
        caller.step()
        world.clock.now += 0.5
    with pytest.raises(BrokenExecutor, match="is neither in the inbox nor in sessions/ any more"):
        future.result(0)


def test_an_executor_that_has_no_more_names_says_so(world: World) -> None:
    caller = opened(world)
    warm = caller.call(square, 1)[0]
    caller.step()
    assert warm.unit is not None
    world.plant_reply(warm.unit, STRANGER, output=pickling.to_text(pickling.dumps(1)))
    caller.step()
    caller.asker._book.made = 999_999_997
    futures = caller.call(square, *range(3))
    world.let(caller, turns=3)
    assert futures[1].job == 999_999_999
    with pytest.raises(BrokenExecutor, match="it has made 999,999,999 calls"):
        futures[2].result(0)


def test_a_failing_initializer_breaks_it(world: World) -> None:
    caller = opened(world)
    [first, second] = caller.call(square, 1, 2)
    caller.step()
    assert first.unit is not None
    said = Raised("ValueError: no film", "Traceback …", None, True).encode()
    world.plant_reply(first.unit, STRANGER, "failed", output=said)
    world.let(caller, turns=2)
    for future in (first, second):
        with pytest.raises(BrokenExecutor, match="the initializer raised ValueError: no film"):
            future.result(0)
    with pytest.raises(BrokenExecutor, match="the initializer raised"):
        caller.call(square, 1)


def test_an_executor_that_is_shut_before_it_was_admitted_takes_its_session_out_again(world: World) -> None:
    caller = Caller(world)
    caller.asker.shut()
    caller.step()
    assert caller.asker.is_over and left_of(world, caller.sid) == []


def test_an_executor_that_is_shut_while_it_is_being_admitted_waits_for_that(world: World) -> None:
    caller = Caller(world)
    [path] = world.layout.inbox.iterdir()
    world.layout.admitting(caller.sid).mkdir()
    path.rename(world.layout.admitting(caller.sid) / "session.xml")
    caller.asker.shut()
    caller.step()
    assert not caller.asker.is_over
    spoold = world.spoold()
    world.let(caller, spoold, turns=30)
    assert caller.asker.is_over and left_of(world, caller.sid) == []


# what comes back, or does not


def test_what_stands_nowhere_is_offered_again(world: World) -> None:
    caller = opened(world)
    futures = caller.call(square, *range(4))
    caller.step()
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    for _ in range(8):
        caller.step()
        world.clock.now += 0.7
    assert sum(unit.size for unit in caller.stands_ready()) >= 1
    world.let(world.spoold(), calling_node(world), caller, turns=10)
    assert [future.result(0) for future in futures] == [0, 1, 4, 9]


def test_a_torn_reply_is_looked_at_twice_and_its_calls_are_made_again(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    for attempt in range(world.config.max_attempts):
        [unit] = caller.stands_ready()
        assert unit.attempt == attempt
        path = world.plant_reply(unit, STRANGER)
        path.write_bytes(path.read_bytes()[:-5])
        (world.layout.ready / caller.asker._entry.rank / unit.name).unlink()
        caller.step()
        assert path.exists()
        world.clock.now += 1.1
        caller.step()
        assert not path.exists()
        caller.step()
    with pytest.raises(CallError, match="its answer could not be read, at every attempt"):
        future.result(0)


def test_a_unit_that_was_put_aside_fails_its_calls_with_the_reason(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    node = calling_node(world, functions_by_value=False)
    for _ in range(6):
        node.step()
        caller.step()
        world.clock.now += 0.7
    with pytest.raises(CallError, match=r"call 1: functions that a Python program .* it was put aside here, not run"):
        future.result(0)


def test_a_lost_call_says_so(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    assert future.unit is not None
    world.plant_reply(future.unit, STRANGER, "lost", why="the node that ran it was lost 3 times")
    caller.step()
    with pytest.raises(CallError, match=f"call 1 on {STRANGER}: the node that ran it was lost 3 times"):
        future.result(0)


def test_an_answer_of_another_account_is_not_unpickled(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    caller.asker._collecting._trusted = (os.geteuid() + 1,)
    assert future.unit is not None
    path = world.plant_reply(future.unit, STRANGER, output="nothing that could be unpickled")
    caller.step()
    with pytest.raises(CallError, match=f"its answer is user {os.geteuid()}'s, and was not read"):
        future.result(0)
    assert not path.exists()


def test_a_second_answer_finds_no_future(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    assert future.unit is not None
    fine = pickling.to_text(pickling.dumps(9))
    world.plant_reply(future.unit, STRANGER, output=fine)
    world.plant_reply(future.unit, "z9_9_000000", "failed")
    world.let(caller, turns=3)
    assert future.result(0) == 9 and os.listdir(world.layout.replies) == []


def test_what_cannot_be_rebuilt_here_is_a_call_error_with_its_words(world: World) -> None:
    caller = opened(world)
    first, second = (caller.call(square, number)[0] for number in range(2))
    caller.step()
    assert first.unit is not None and second.unit is not None
    world.plant_reply(first.unit, STRANGER, output=pickling.to_text(b"cno_such_module\nthing\n."))
    said = Raised("film.NoFilm: no film", "Traceback …", b"cno_such_module\nthing\n.").encode()
    world.plant_reply(second.unit, STRANGER, "failed", output=said)
    world.let(caller, turns=2)
    with pytest.raises(CallError, match=f"what call 1 returned on {STRANGER} cannot be rebuilt here"):
        first.result(0)
    with pytest.raises(CallError, match=r"the call raised film.NoFilm: no film; the exception cannot be rebuilt here"):
        second.result(0)


@pytest.mark.parametrize("status", ["ok", "failed"])
def test_an_answer_that_is_no_pickle_fails_its_call_alone(world: World, status: str) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    assert future.unit is not None
    world.plant_reply(future.unit, STRANGER, status, output="no pickle", why="odd")
    world.let(caller, turns=2)
    assert isinstance(future.exception(0), CallError)


def test_the_limit_behind_an_exception_is_a_note_on_it(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    assert future.unit is not None
    said = Raised("MemoryError", "Traceback …", pickling.pickled_exception(MemoryError())).encode()
    world.plant_reply(future.unit, STRANGER, "failed", output=said, why="MemoryError (its memory limit is 1 GB)")
    world.let(caller, turns=2)
    error = future.exception(0)
    assert isinstance(error, MemoryError) and error.__notes__ == ["(its memory limit is 1 GB)"]


def test_a_paused_call_does_not_run(world: World) -> None:
    caller = opened(world)
    [future] = caller.call(square, 3)
    caller.step()
    controls.say(world.member(), world.layout.session(caller.sid), "pause", "anna")
    world.let(caller, turns=3)
    for path in world.layout.ready.glob("*/*"):
        path.unlink()  # as spoold takes it back
    assert not future.running()


# trouble with the disk


def full_disk(trouble: list[int]) -> type[Disk]:
    class Full(Disk):
        def step(self, call: str, path: Path) -> None:
            if call in ("write", "create") and trouble[0] > 0:
                trouble[0] -= 1
                raise OSError(errno.ENOSPC, "no space left on device")

    return Full


@pytest.mark.parametrize("failures", range(1, 12))
def test_a_full_disk_costs_time_and_no_call(world: World, failures: int) -> None:
    trouble = [0]
    caller = Caller(world, full_disk(trouble))
    spoold, node = world.spoold(), calling_node(world)
    world.let(spoold, caller, turns=2)
    futures = caller.call(square, *range(12))
    trouble[0] = failures
    for _ in range(40):
        for actor in (spoold, node, caller):
            try:
                actor.step()
            except OSError as error:
                assert actor is caller and error.errno == errno.ENOSPC
        world.clock.now += 0.3
    assert [future.result(0) for future in futures] == [x * x for x in range(12)]
    assert trouble == [0]


def test_what_a_session_may_not_ask_for_is_said_before_anything_is_sent(world: World) -> None:
    for wanted in ({"priority": 101}, {"nodes": ("n 1'",)}, {"tags": ("größe",)}, {"timeout": -1}, {"memory": "much"}):
        with pytest.raises(PermanentError):
            Caller(world, **wanted)
    assert os.listdir(world.layout.inbox) == os.listdir(world.layout.folder("calls")) == []


def test_nodes_tags_and_limits_are_those_of_the_session(world: World) -> None:
    caller = opened(world, nodes=("N4.ncnr.nist.gov",), tags=("gpu",), timeout=60, memory="2 GB", name="a film's fit")
    record = json.loads((world.layout.session(caller.sid) / "session.json").read_text())
    task = record["groups"][0]["task"]
    assert task["nodes"] == ["n4"] and task["tags"][0] == "gpu" and task["tags"][1].startswith("python3.")
    assert task["limits"] == {"timeout": 60.0, "memory": 2 * 10**9}
    assert record["attributes"]["name"] == "a film's fit" and record["user"] == "anna"
    assert caller.asker._entry.rank.startswith("100-100+n4+gpu+python3.")


def test_a_unit_of_another_session_is_none_of_its_business(world: World) -> None:
    caller = opened(world)
    caller.call(square, 1)
    other = Unit("20261123-025532-zzzz", 1, 1, 1, 2)
    kept = [world.plant_ready(other, "100-100"), world.plant_reply(other, STRANGER)]
    world.let(caller, turns=3)
    caller.asker.shut(cancel=True)
    world.let(caller, turns=3)
    assert all(path.exists() for path in kept)
