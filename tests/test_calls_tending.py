"""What spoold, a node and the reducer do with a session of calls: its asker knows what is missing, they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from slow_runner import slow_node
from world import CALLS, STRANGER, World, state

from park_spool import controls, naming, processes, sealed, wishes
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.processes import Identity
from park_spool.tending.calls_janitor import STONE_SECONDS
from park_spool.tending.role import Tending

ELSEWHERE = Identity("far", "", "", 7, 0)  # nobody here can tell whether it lives


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heartbeat_seconds=2.0, unit_lifetime=6.0, claim_expiry=12.0, audit_seconds=6.0)


def live(world: World, sid: str, seq: int = 1, identity: Identity = ELSEWHERE) -> None:
    """Give an asker's sign of life."""
    world.layout.calls(sid).mkdir(exist_ok=True)
    sign = sealed.seal_json({"identity": identity.to_json(), "made": 9, "done": 4})
    (world.layout.calls(sid) / naming.alive_name(seq)).write_bytes(sign)


def calls(world: World) -> str:
    sid = world.admit(xml=CALLS)
    live(world, sid)
    return sid


def unit(sid: str, start: int = 1, stop: int = 2, attempt: int = 0) -> Unit:
    return Unit(sid, 1, 1, start, stop, 0, attempt)


def pass_time(world: World, spoold: Tending, sid: str, seconds: float) -> None:
    """Let time pass while the asker lives."""
    for second in range(round(seconds)):
        live(world, sid, 10 + second)
        spoold.step()
        world.clock.now += 1.0


def ready(world: World) -> list[Unit]:
    return sorted(found for path in world.layout.ready.glob("*/*") if (found := naming.parse_unit(path.name)))


def is_deleted(world: World, sid: str) -> bool:
    gone = not world.layout.session(sid).exists() and not world.layout.calls(sid).exists()
    return gone and world.layout.tombstone(sid).exists()


def test_it_is_never_complete_and_nothing_pends(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    pass_time(world, spoold, sid, 60)
    assert ready(world) == [] and world.layout.session(sid).exists()
    assert check(world.root) == []


def test_a_dead_asker_is_spoken_for_once_it_was_silent(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    world.plant_ready(unit(sid))
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    (world.layout.calls(sid) / naming.payload_name(1, 3)).touch()
    before = world.clock.now
    world.let(spoold, turns=15)
    assert world.clock.now - before < world.config.claim_expiry and len(ready(world)) == 1
    world.let(spoold, turns=20)
    assert is_deleted(world, sid)
    assert ready(world) == [] and os.listdir(world.layout.replies) == []
    assert check(world.root) == [], state(world)


def test_an_asker_whose_process_is_gone_is_spoken_for_at_once(world: World) -> None:
    gone = Identity(**{**processes.identity().to_json(), "start": 1})  # type: ignore[arg-type]
    sid, spoold = world.admit(xml=CALLS), world.spoold()
    live(world, sid, 1, gone)
    world.let(spoold, turns=6)
    assert is_deleted(world, sid)


def test_an_asker_whose_process_lives_is_never_given_up(world: World) -> None:
    """One long call of its own may keep its thread from giving signs."""
    sid, spoold = world.admit(xml=CALLS), world.spoold()
    live(world, sid, 1, processes.identity())
    world.let(spoold, turns=100)
    assert world.layout.session(sid).exists()


@pytest.mark.parametrize("seq", [None, 7])
def test_a_session_that_never_had_an_asker_ends_too(world: World, seq: int | None) -> None:
    sid, spoold = world.admit(xml=CALLS), world.spoold()
    if seq is not None:
        world.layout.calls(sid).mkdir()
        (world.layout.calls(sid) / naming.alive_name(seq)).write_bytes(b"torn")
    world.let(spoold, turns=40)
    assert is_deleted(world, sid)


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_to_cancel_it_is_to_delete_it(world: World, verb: str) -> None:
    sid, spoold = calls(world), world.spoold()
    spoold.step()
    controls.say(world.member(), world.layout.session(sid), verb, "anna")
    world.plant_ready(unit(sid))
    world.plant_claim(unit(sid, 2, 3), STRANGER)
    for _ in range(4):
        spoold.step()
        world.clock.now += 1.0
    assert ready(world) == [] and world.layout.session(sid).exists(), "a node has not let go yet"
    (world.layout.claimed / STRANGER / unit(sid, 2, 3).name).unlink()
    world.plant_reply(unit(sid, 2, 3), STRANGER, "cancelled")
    world.let(spoold, turns=6)
    assert is_deleted(world, sid) and os.listdir(world.layout.replies) == []


def test_two_spoolds_end_it_alike(world: World) -> None:
    sid, first, second = calls(world), world.spoold(), world.spoold()
    controls.say(world.member(), world.layout.session(sid), "delete", "anna")
    first._candidate.step = second._candidate.step = lambda: True  # type: ignore[method-assign]
    world.let(first, second, turns=10)
    assert is_deleted(world, sid)
    assert check(world.root) == []


def test_the_tombstone_stands_for_an_hour_and_keeps_the_place_clean(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    controls.say(world.member(), world.layout.session(sid), "delete", "anna")
    world.let(spoold, turns=10)
    assert is_deleted(world, sid)
    world.plant_ready(unit(sid), "100-100")
    world.plant_reply(unit(sid, 2, 3), STRANGER)
    world.let(spoold, turns=20)
    assert ready(world) == [] and os.listdir(world.layout.replies) == []
    end = world.clock.now + STONE_SECONDS
    while world.clock.now < end - 20:
        spoold.step()
        world.clock.now += 10.0
    assert world.layout.tombstone(sid).exists()
    world.let(spoold, turns=10, tick=10.0)
    assert os.listdir(world.layout.closed) == []


def test_the_tombstone_of_another_session_stands_for_good(world: World) -> None:
    sid, spoold = world.admit(), world.spoold()
    controls.say(world.member(), world.layout.session(sid), "delete", "anna")
    world.let(spoold, turns=20)
    world.let(spoold, turns=20, tick=STONE_SECONDS)
    assert os.listdir(world.layout.closed) == [wishes.tombstone_name(sid)]


def test_a_folder_of_calls_waits_for_its_session(world: World) -> None:
    """Its asker has made it, and its session is still in the inbox; without one it is cleared at last."""
    spoold, sid = world.spoold(), "20261123-025532-k3j9"
    live(world, sid)
    (world.layout.inbox / naming.submitted_name(sid, "calls.xml.part")).write_text("<session")
    spoold.admission.step = list  # type: ignore[method-assign]
    world.let(spoold, turns=20, tick=5.0)
    assert world.layout.calls(sid).exists()
    (world.layout.inbox / naming.submitted_name(sid, "calls.xml.part")).unlink()
    world.let(spoold, turns=20, tick=5.0)
    assert not world.layout.calls(sid).exists()


# what dead nodes held


def test_a_lost_unit_comes_back_in_pieces_and_then_alone(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    world.plant_claim(unit(sid, 1, 17), f"{STRANGER}.expired")
    world.plant_claim(unit(sid, 17, 18, attempt=2), f"{STRANGER}.expired")
    world.plant_claim(unit(sid, 18, 19), f"{STRANGER}.expired")
    offered: set[Unit] = set()
    for second in range(20):
        live(world, sid, 10 + second)
        spoold.step()
        offered |= set(ready(world))
        for path in list(world.layout.ready.glob("*/*")):
            path.unlink()
        world.clock.now += 0.3
    assert unit(sid, 18, 19, attempt=1) in offered
    pieces = sorted(offered - {unit(sid, 18, 19, attempt=1)})
    assert [job for one in pieces for job in range(one.start, one.stop)] == list(range(1, 17))
    assert {one.attempt for one in pieces} == {0} and max(one.size for one in pieces) <= 2
    [reply] = os.listdir(world.layout.replies)
    lines = (world.layout.replies / reply).read_bytes().splitlines()
    assert json.loads(lines[1])["status"] == "lost" and json.loads(lines[1])["job"] == 17
    assert check(world.root) == []


def test_what_was_answered_or_belongs_to_a_stopped_session_does_not_come_back(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    world.plant_claim(unit(sid), f"{STRANGER}.expired")
    world.plant_reply(unit(sid), STRANGER)
    pass_time(world, spoold, sid, 3)
    assert ready(world) == [] and os.listdir(world.layout.expired(STRANGER)) == []
    controls.say(world.member(), world.layout.session(sid), "cancel", "anna")
    world.plant_claim(unit(sid, 5, 9), f"{STRANGER}.expired")
    world.let(spoold, turns=8)
    assert ready(world) == [] and is_deleted(world, sid)


def test_a_slow_call_is_not_offered_a_second_time(world: World) -> None:
    """A function that somebody calls once must not run twice because it takes long."""
    sid, spoold = calls(world), world.spoold()
    for node, running, busy in (("h1_1_000000", {unit(sid).name: 500.0}, 1), ("h2_2_000000", {}, 0)):
        report = {"node": node, "cpus": 2, "busy": busy, "running": running, "job_seconds": {f"{sid}/1/1": 0.5}}
        report |= {"identity": ELSEWHERE.to_json(), "tags": ["python3.11"]}
        (world.layout.nodes / naming.heartbeat_name(node, 1)).write_bytes(sealed.seal_json(report))
    world.plant_claim(unit(sid), "h1_1_000000")
    (world.layout.claimed / "h2_2_000000").mkdir()
    pass_time(world, spoold, sid, 5)
    assert ready(world) == []


def test_pausing_takes_units_out_and_resuming_brings_them_back(world: World) -> None:
    sid, spoold = calls(world), world.spoold()
    pass_time(world, spoold, sid, 1)
    world.plant_ready(unit(sid, 1, 5))
    controls.say(world.member(), world.layout.session(sid), "pause", "anna")
    pass_time(world, spoold, sid, 3)
    assert ready(world) == []
    controls.say(world.member(), world.layout.session(sid), "resume", "anna")
    pass_time(world, spoold, sid, 3)
    assert sum(one.size for one in ready(world)) >= 1


# nodes


def test_a_node_puts_it_aside_where_functions_by_value_do_not_run(world: World) -> None:
    sid = calls(world)
    world.plant_ready(unit(sid), "100-100")
    node, [runner, _] = slow_node(World(world.root.parent, functions_by_value=False))
    node.step()
    assert runner.starts == 0
    names = sorted(os.listdir(world.layout.quarantine))
    assert names == [unit(sid).name, f"{unit(sid).name}.why"]
    assert "functions_by_value = true" in (world.layout.quarantine / names[1]).read_text()


def test_a_node_is_told_where_the_calls_lie_and_whom_to_believe(world: World) -> None:
    sid = calls(world)
    world.plant_ready(unit(sid), "100-100")
    node, [runner, _] = slow_node(world)
    node.step()
    assert runner.assignment is not None
    assert runner.assignment.calls == world.layout.calls(sid) and runner.assignment.kept is None
    assert set(runner.assignment.trusted) == {os.geteuid(), world.root.stat().st_uid, 0}


# the reducer


def test_the_reducer_leaves_its_replies_and_keeps_no_row(world: World) -> None:
    other, sid = world.admit(many=1, few=1), calls(world)
    replies = [world.plant_reply(unit(sid), STRANGER), world.plant_reply(unit(other), STRANGER)]
    reducer = world.reducer()
    world.let(reducer, turns=60)
    assert [path.exists() for path in replies] == [True, False]
    assert [row[0] for row in world.rows("sessions")] == [other]
    assert not world.layout.bundles(sid).exists() and not list(world.layout.session(sid).glob("tally.*"))
    assert reducer._reducing is not None and not reducer._reducing.is_waiting
    assert os.listdir(world.layout.quarantine) == []


@pytest.mark.parametrize("is_new", [False, True])
def test_the_reducer_drops_what_is_still_answered_when_it_is_over(world: World, is_new: bool) -> None:
    sid, spoold, reducer = calls(world), world.spoold(), world.reducer()
    world.let(reducer, spoold, turns=3)
    controls.say(world.member(), world.layout.session(sid), "delete", "anna")
    world.let(reducer, spoold, turns=12)
    assert is_deleted(world, sid)
    reply = world.plant_reply(unit(sid), STRANGER)
    if is_new:
        reducer.leave()
        reducer = world.reducer()
    world.let(reducer, turns=15)
    assert not reply.exists()
    assert world.rows("sessions") == []


def test_the_reducer_forgets_it_with_its_tombstone(world: World) -> None:
    sid, spoold, reducer = calls(world), world.spoold(), world.reducer()
    controls.say(world.member(), world.layout.session(sid), "delete", "anna")
    world.let(reducer, spoold, turns=20)
    assert reducer._reducing is not None and sid in reducer._reducing._sessions.deleted
    world.layout.tombstone(sid).unlink()
    world.let(reducer, turns=20)
    known = reducer._reducing._sessions
    assert sid not in known.deleted | known.of_calls | known.open
