"""spoold and chained work: what waits is offered when its start stands and not before, whatever else happens to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chains import group, joblist, session, steps
from test_stragglers import FAST, STUCK
from test_tending import beat, publish_tally, ready
from world import STRANGER, World

from park_spool import admitted, controls, retries, starts
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Start, Unit
from park_spool.starts import Given, Waits, waits_of
from park_spool.tallies import Tally
from park_spool.tending.role import REFILL_SECONDS, Tending

OTHER = "20261123-025532-zzzz"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def give(world: World, sid: str, *which: Start) -> None:
    for start in which:
        (world.layout.session(sid) / start.name).write_bytes(starts.encode(Given(), STRANGER, 0.0))


def take(world: World, sid: str, start: Start) -> None:
    (world.layout.session(sid) / start.name).unlink()


def offered(world: World) -> list[tuple[int, int, int, int]]:
    """(group, job list, first job, last job) of what waits in ready/."""
    return [(*unit.key, unit.start, unit.stop - 1) for unit in ready(world)]


def claim_all(world: World) -> list[Unit]:
    found = ready(world)
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    for unit in found:
        world.plant_claim(unit, STRANGER)
    return found


def spoold_of(world: World, xml: str, cpus: int = 4) -> tuple[Tending, str]:
    sid = world.admit(xml=xml)
    beat(world, cpus)
    spoold = world.spoold()
    world.let(spoold, turns=6)
    return spoold, sid


def test_a_group_is_offered_when_its_start_stands(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(joblist(2)), group(joblist(3), joblist(2), after="1")))
    assert offered(world) == [(1, 1, 1, 1), (1, 1, 2, 2)]
    assert check(world.root) == []
    give(world, sid, Start(2))
    world.let(spoold, turns=3)
    assert offered(world)[2:] == [(2, 1, 1, 1), (2, 1, 2, 2), (2, 1, 3, 3), (2, 2, 1, 1), (2, 2, 2, 2)]
    assert check(world.root) == []


def test_a_session_that_waits_for_another_is_not_offered(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(joblist(2)), group(), after=OTHER))
    assert offered(world) == []
    give(world, sid, Start(2))
    world.let(spoold, turns=3)
    assert offered(world) == [(2, 1, 1, 1)]


def test_steps_are_offered_one_at_a_time_beside_what_is_independent(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(5), joblist(2))))
    assert offered(world) == [(1, 1, 1, 1), (1, 2, 1, 1), (1, 2, 2, 2)]
    claim_all(world)
    world.let(spoold, turns=5)
    assert offered(world) == []
    give(world, sid, Start(1, 1, 2))
    spoold.step()
    assert offered(world) == [(1, 1, 2, 2)], "the next step is seen at once, not at the next look at all sessions"


def test_units_stay_single_however_short_the_steps_are(world: World) -> None:
    sid = world.admit(xml=session(group(steps(500))))
    beat(world, 4, {f"{sid}/1/1": 0.0001})
    spoold = world.spoold()
    world.let(spoold, turns=4)
    assert offered(world) == [(1, 1, 1, 1)]


def test_a_step_of_a_group_that_waits_needs_both(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(), group(steps(3), after="1")))
    claim_all(world)
    give(world, sid, Start(2))
    world.let(spoold, turns=3)
    assert offered(world) == [(2, 1, 1, 1)]
    give(world, sid, Start(2, 1, 2))
    world.let(spoold, turns=3)
    assert offered(world) == [(2, 1, 1, 1), (2, 1, 2, 2)]


def test_another_spoold_finds_out_by_itself(world: World) -> None:
    first, sid = spoold_of(world, session(group(steps(4)), group(after="1")))
    claim_all(world)
    give(world, sid, Start(1, 1, 2))
    first.resign()
    world.let(world.spoold(), turns=8)
    assert offered(world) == [(1, 1, 2, 2)]
    give(world, sid, Start(2))
    world.let(world.spoold(), turns=80)
    assert offered(world) == [(1, 1, 2, 2), (2, 1, 1, 1)]


def test_a_step_is_tried_again_from_the_same_start(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(3))))
    claim_all(world)
    give(world, sid, Start(1, 1, 2))
    spoold.step()
    for unit in claim_all(world):
        (world.layout.claims(STRANGER) / unit.name).unlink()
    (world.layout.claims(STRANGER) / Unit(sid, 1, 1, 1, 2).name).unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2)]}, {(1, 1): [(2, 0, 0)]}))
    world.let(spoold, turns=8)
    assert [(unit.start, unit.attempt) for unit in ready(world)] == [(2, 1)]


def test_a_step_of_a_dead_node_comes_back(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(3))))
    claim_all(world)
    give(world, sid, Start(1, 1, 2))
    spoold.step()
    claim_all(world)
    publish_tally(world, sid, Tally({(1, 1): [(1, 2)]}))
    world.let(spoold, turns=300, tick=1.0)  # its node is silent
    assert [(unit.start, unit.attempt) for unit in ready(world)] == [(2, 1)]
    assert check(world.root) == []


def test_a_retry_names_steps_and_they_go_one_after_the_other(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(4))))
    claim_all(world)
    world.plant_claim(Unit(sid, 1, 1, 1, 2), STRANGER).unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 4)]}))
    retries.open_round(world.member(), world.layout.session(sid), {(1, 1): [(2, 4)]}, "wei")
    world.let(spoold, turns=8)
    assert offered(world) == []
    give(world, sid, Start(1, 1, 2))
    world.let(spoold, turns=2)
    assert [(unit.start, unit.stop, unit.round) for unit in ready(world)] == [(2, 3, 1)]
    assert check(world.root) == []


def test_what_is_final_is_not_offered_though_its_start_still_stands(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(3))))
    claim_all(world)
    publish_tally(world, sid, Tally({(1, 1): [(1, 3)]}))
    world.let(spoold, turns=3)
    give(world, sid, Start(1, 1, 2))
    world.let(spoold, turns=5)
    assert offered(world) == []


def test_a_start_that_goes_away_again_stops_the_offer(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(), group(joblist(200), after="1")), cpus=1)
    give(world, sid, Start(2))
    world.let(spoold, turns=3)
    count = len(ready(world))
    assert 1 < count < 200
    take(world, sid, Start(2))
    world.let(spoold, turns=3)
    claim_all(world)
    world.let(spoold, turns=5)
    assert offered(world) == []


# what users say


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_what_only_waits_ends_at_once(world: World, verb: str) -> None:
    spoold, sid = spoold_of(world, session(group(), group(after="1"), after=OTHER))
    controls.say(world.member(), world.layout.session(sid), verb, "wei")
    world.clock.now += world.config.control_seconds
    spoold.step()
    expected = sid if verb == "cancel" else f"{sid}.deleted"
    assert os.listdir(world.layout.closed) == [expected]
    assert not world.layout.session(sid).exists()
    assert check(world.root) == []


def test_what_has_begun_ends_when_nothing_of_it_is_left(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(), group(after="1")))
    claim_all(world)
    controls.say(world.member(), world.layout.session(sid), "cancel", "wei")
    world.let(spoold, turns=10)
    assert world.layout.session(sid).is_dir()
    (world.layout.claims(STRANGER) / Unit(sid, 1, 1, 1, 2).name).unlink()
    world.let(spoold, turns=10)
    assert os.listdir(world.layout.closed) == [sid]


def test_a_pause_holds_a_start_back(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(3)), group(after="1")))
    claim_all(world)
    controls.say(world.member(), world.layout.session(sid), "pause", "wei")
    world.let(spoold, turns=3)
    give(world, sid, Start(1, 1, 2), Start(2))
    world.let(spoold, turns=6)
    assert offered(world) == []
    controls.say(world.member(), world.layout.session(sid), "resume", "wei")
    world.let(spoold, turns=6)
    assert offered(world) == [(1, 1, 2, 2), (2, 1, 1, 1)]


def test_a_step_in_ready_moves_with_its_priority(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(3))))
    controls.say(world.member(), world.layout.session(sid), "priority", "wei", 7)
    world.let(spoold, turns=4)
    assert [path.parent.name for path in world.layout.ready.glob("*/*")] == ["093-100"]
    claim_all(world)
    give(world, sid, Start(1, 1, 2))
    world.let(spoold, turns=2)
    assert [path.parent.name for path in world.layout.ready.glob("*/*")] == ["093-100"]


# waiting


def test_it_looks_often_while_a_step_may_come_and_seldom_while_another_session_runs(world: World) -> None:
    spoold, _ = spoold_of(world, session(group(steps(3))))
    claim_all(world)
    spoold.step()
    assert spoold.wait_seconds() == REFILL_SECONDS
    other = World(world.root.parent / "other")
    patient, _ = spoold_of(other, session(group(steps(3)), after=OTHER))
    assert patient.wait_seconds() > 5 * REFILL_SECONDS


def test_on_a_shared_disk_the_folder_of_a_step_is_made_to_show_itself(tmp_path: Path) -> None:
    """NFS: a listing may stay stale until its folder changes under the one who looks."""
    refreshed: list[str] = []

    class Watching(Disk):
        def refresh(self, folder: Path) -> None:
            refreshed.append(folder.name)

    world = World(tmp_path, is_shared=True)
    sid = world.admit(xml=session(group(steps(3))))
    beat(world, 2)
    spoold = world.spoold(Watching)
    world.let(spoold, turns=3, tick=5.0)
    claim_all(world)
    refreshed.clear()
    spoold.step()
    assert sid in refreshed


def test_a_stuck_step_is_offered_a_second_time(world: World) -> None:
    """The others of its list wait for it, so nothing can be offered: it alone holds its session up."""
    sid = world.admit(xml=session(group(steps(3)), group(after="1")))
    publish_tally(world, sid, Tally({(1, 1): [(1, 2)]}))
    give(world, sid, Start(1, 1, 2))
    stuck = Unit(sid, 1, 1, 2, 3)
    world.plant_claim(stuck, STUCK)
    spoold = world.spoold()
    for seq in range(1, 12):
        seconds = {f"{sid}/1/1": 2.0}
        beat(world, 2, seconds, seq, FAST)
        beat(world, 2, seconds, seq, STUCK, busy=1, running={stuck.name: 10.0 * seq})
        spoold.step()
        world.clock.now += 0.7
    assert ready(world) == [stuck]


# what waits, as values


def test_what_a_session_waits_for(world: World) -> None:
    xml = session(group(steps(3)), group(after="1"), group(after=f"{OTHER}.2"), after=OTHER)
    found = world.admit(xml=xml)
    known = admitted.find(world.member().disk, world.layout, found)
    assert known is not None
    waits = waits_of(known[1].session)
    assert [after.name for after in waits.groups.values()] == [
        f"session {OTHER}",
        "group 1",
        f"group 2 of session {OTHER}",
    ]
    assert (dict(waits.lists), waits.sids) == ({(1, 1): 3}, {OTHER})
    assert waits.needed((1, 1), 1) == [Start(1)]
    assert waits.needed((1, 1), 3) == [Start(1), Start(1, 1, 3)]
    assert [waits.may_have(Start(*which)) for which in ((1,), (4,), (1, 1, 1), (1, 1, 3), (1, 1, 4), (1, 2, 2))] == [
        *(True, False, False, True, False, False)
    ]
    assert not Waits()


def test_a_step_that_waits_in_ready_is_withdrawn_when_a_retry_names_the_one_before(world: World) -> None:
    spoold, sid = spoold_of(world, session(group(steps(4))))
    claim_all(world)
    world.plant_claim(Unit(sid, 1, 1, 1, 2), STRANGER).unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 3)]}))
    give(world, sid, Start(1, 1, 3))
    world.let(spoold, turns=3)
    assert offered(world) == [(1, 1, 3, 3)]
    retries.open_round(world.member(), world.layout.session(sid), {(1, 1): [(2, 3)]}, "wei")
    take(world, sid, Start(1, 1, 3))  # as the reducer does
    give(world, sid, Start(1, 1, 2))
    world.let(spoold, turns=8)
    assert [(unit.start, unit.round) for unit in ready(world)] == [(2, 1)]
    give(world, sid, Start(1, 1, 3))
    world.let(spoold, turns=4)
    assert [(unit.start, unit.round) for unit in ready(world)] == [(2, 1), (3, 0)]
    assert check(world.root) == []
