"""spoold and what users say of a session that was sent: pause, resume, priority, cancel, delete, retry."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from test_tending import beat, publish_tally, ready, unit
from world import SESSION, STRANGER, Actors, World, run_until_closed, state

from park_spool import controls, retries
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.tallies import Tally
from park_spool.tending.role import Tending

DONE = Tally({(1, 1): [(1, 5)], (1, 2): [(1, 2)]})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def say(world: World, sid: str, verb: str, argument: int | None = None) -> None:
    controls.say(world.member(), world.layout.session(sid), verb, "wwchen", argument)


def offered(world: World, many: int = 4, cpus: int = 10) -> tuple[str, Tending]:
    """A session whose units all stand in ready/, and the spoold that offered them."""
    sid = world.admit(many=many, few=1)
    beat(world, cpus)
    spoold = world.spoold()
    world.let(spoold, turns=4)
    assert len(ready(world)) > 1
    return sid, spoold


def ranks(world: World) -> list[str]:
    return sorted(path.parent.name for path in world.layout.ready.glob("*/*"))


# pause and resume


def test_a_paused_session_has_no_unit_in_ready_and_resume_offers_them_again(world: World) -> None:
    sid, spoold = offered(world)
    before = ready(world)
    say(world, sid, "pause")
    world.let(spoold, turns=3)
    assert ready(world) == []
    world.let(spoold, turns=100, tick=3.0)
    assert ready(world) == []
    beat(world, 10, seq=2)
    say(world, sid, "resume")
    world.let(spoold, turns=3)
    assert ready(world) == before
    assert check(world.root) == []


def test_a_paused_session_lets_run_what_runs_and_takes_nothing_back_into_ready(world: World) -> None:
    sid, spoold = offered(world)
    [first, *_] = ready(world)
    world.plant_ready(first).rename(world.layout.claims(STRANGER) / first.name)
    say(world, sid, "pause")
    world.let(spoold, turns=3)
    assert os.listdir(world.layout.claims(STRANGER)) == [first.name]
    world.let(spoold, turns=40, tick=5.0)  # the node is silent: what it held comes back, and pends
    assert ready(world) == []
    say(world, sid, "resume")
    world.let(spoold, turns=3)
    assert first.next_attempt() in ready(world)


def test_a_unit_given_back_to_a_paused_session_is_withdrawn_at_the_next_look(world: World) -> None:
    sid, spoold = offered(world)
    say(world, sid, "pause")
    world.let(spoold, turns=3)
    world.plant_ready(unit(sid))
    assert check(world.root) == []
    world.let(spoold, turns=3)
    assert ready(world) == []


def test_a_new_spoold_offers_nothing_of_a_paused_session(world: World) -> None:
    sid = world.admit()
    say(world, sid, "pause")
    beat(world, 4)
    world.let(world.spoold(), turns=20)
    assert ready(world) == []


def test_waiting_for_paused_work_is_not_busy(world: World) -> None:
    sid, spoold = offered(world, many=500)
    assert spoold.wait_seconds() < 0.1
    say(world, sid, "pause")
    world.let(spoold, turns=3)
    assert spoold.wait_seconds() >= 0.3


# priority


def test_a_priority_moves_what_waits_and_what_pends(world: World) -> None:
    sid, spoold = offered(world, many=100, cpus=1)
    before = len(ready(world))
    say(world, sid, "priority", 7)
    world.let(spoold, turns=3)
    assert set(ranks(world)) == {"093-096", "093-100"}
    assert len(ready(world)) == before
    for path in list(world.layout.ready.glob("093-096/*")):
        path.unlink()
    world.let(spoold, turns=1)
    assert set(ranks(world)) == {"093-096", "093-100"}
    assert check(world.root) == []


def test_a_unit_under_an_old_rank_is_renamed_at_an_audit(world: World) -> None:
    sid, spoold = offered(world)
    say(world, sid, "priority", 7)
    world.let(spoold, turns=3)
    (world.layout.ready / "093-096" / unit(sid).name).unlink()
    world.plant_ready(unit(sid), "100-096")  # given back by a node that had not heard
    assert check(world.root) == []
    world.let(spoold, turns=30, tick=3.0)
    assert set(ranks(world)) == {"093-096", "093-100"}
    assert unit(sid) in ready(world)


def test_empty_ranks_that_no_open_session_uses_are_removed(world: World) -> None:
    sid, spoold = offered(world)
    say(world, sid, "priority", 7)
    world.let(spoold, turns=40, tick=3.0)
    assert sorted(os.listdir(world.layout.ready)) == ["093-096", "093-100"]
    publish_tally(world, sid, DONE)
    world.let(spoold, turns=40, tick=3.0)
    assert os.listdir(world.layout.ready) == []


# cancel


def test_a_cancelled_session_is_closed_when_two_looks_found_nothing_of_it(world: World) -> None:
    sid, spoold = offered(world)
    [first, *_] = ready(world)
    held = world.plant_claim(first, STRANGER)
    say(world, sid, "cancel")
    world.let(spoold, turns=8)
    assert ready(world) == []
    assert world.layout.session(sid).is_dir(), "a node still holds a unit of it"
    reply = world.plant_reply(first, STRANGER, "cancelled")
    held.unlink()
    world.let(spoold, turns=8)
    assert world.layout.session(sid).is_dir(), "a reply of it waits for the reducer"
    reply.unlink()
    world.let(spoold, turns=1, tick=world.config.control_seconds)
    assert world.layout.session(sid).is_dir(), "one look is not enough"
    world.let(spoold, turns=4)
    assert os.listdir(world.layout.closed) == [sid]
    assert check(world.root) == []


def test_nothing_of_a_cancelled_session_comes_back_from_a_dead_node(world: World) -> None:
    sid, spoold = offered(world)
    say(world, sid, "cancel")
    for one in (unit(sid), unit(sid, 2, 5), unit(sid, joblist=2, attempt=2)):
        world.plant_claim(one, f"{STRANGER}.expired")
    world.let(spoold, turns=10)
    assert ready(world) == []
    assert os.listdir(world.layout.replies) == []
    assert os.listdir(world.layout.closed) == [sid]


def test_a_new_spoold_closes_what_was_cancelled(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid))
    say(world, sid, "cancel")
    world.let(world.spoold(), turns=10)
    assert os.listdir(world.layout.closed) == [sid]
    assert ready(world) == []


def test_a_cancelled_session_misses_nothing(world: World) -> None:
    sid, spoold = offered(world)
    world.plant_claim(unit(sid), STRANGER)
    say(world, sid, "cancel")
    for seq in range(2, 60):
        beat(world, 10, seq=seq)
        world.let(spoold, turns=1, tick=3.0)
        assert seq == 2 or ready(world) == []


# delete


def delete(world: World, sid: str) -> None:
    """What `park delete` does to a closed session."""
    controls.say(world.member(), world.layout.closed_session(sid), "delete", "wwchen")
    world.layout.closed_session(sid).rename(world.layout.session(sid))


def assert_deleted(world: World, sid: str) -> None:
    assert os.listdir(world.layout.closed) == [f"{sid}.deleted"]
    assert not world.layout.session(sid).exists()
    assert not world.layout.kept(sid).exists()
    assert os.listdir(world.layout.tmp) == []
    assert ready(world) == []
    assert check(world.root) == []


def test_an_open_session_is_deleted(world: World) -> None:
    sid, spoold = offered(world)
    world.layout.kept(sid).mkdir()
    (world.layout.kept(sid) / ("0" * 64)).touch()
    say(world, sid, "delete")
    world.let(spoold, turns=8)
    assert_deleted(world, sid)


def test_a_closed_session_is_deleted_soon_after_it_was_opened_for_it(world: World) -> None:
    sid, spoold = offered(world)
    publish_tally(world, sid, DONE)
    world.let(spoold, turns=3)
    delete(world, sid)
    world.let(spoold, turns=10)
    assert_deleted(world, sid)


def test_a_session_that_stands_beside_its_tombstone_is_removed(world: World) -> None:
    sid = world.admit()
    world.layout.tombstone(sid).touch()
    world.plant_ready(unit(sid))
    assert check(world.root) == []
    world.let(world.spoold(), turns=40, tick=2.0)
    assert_deleted(world, sid)


def test_files_that_came_after_the_deletion_are_removed_in_the_end(world: World) -> None:
    sid = world.admit()
    world.layout.tombstone(sid).touch()
    spoold = world.spoold()
    world.let(spoold, turns=8)
    world.layout.kept(sid).mkdir()
    (world.layout.kept(sid) / ("0" * 64)).touch()
    assert check(world.root) == []
    world.let(spoold, turns=80, tick=60.0)
    assert_deleted(world, sid)


def test_a_deleted_id_is_not_given_again(world: World) -> None:
    sid = world.admit()
    say(world, sid, "delete")
    spoold = world.spoold()
    world.let(spoold, turns=10)
    world.submit(name=f"{sid}.film.xml")
    world.let(spoold, turns=10)
    [again] = [name for name in os.listdir(world.layout.sessions) if name != "closed"]
    assert again != sid


def test_one_spoold_closes_what_another_deletes(world: World) -> None:
    """The first knows only of the cancel; whoever is second at a rename finds the folder where it is."""
    sid, first = offered(world)
    second = world.spoold(blind_to_locks(world))
    say(world, sid, "cancel")
    world.let(first, second, turns=2)
    say(world, sid, "delete")
    world.let(second, first, turns=10)
    world.let(second, first, turns=4, tick=40.0)
    assert_deleted(world, sid)


def blind_to_locks(world: World) -> type[Disk]:
    class Blind(Disk):
        def names(self, folder: Path, hidden: bool = False) -> list[str]:
            found = super().names(folder, hidden)
            return [name for name in found if self._owner in name] if folder == world.layout.locks else found

    return Blind


# retry


def retry(world: World, sid: str, folder: Path, *jobs: int) -> int:
    pieces = [(job, job + 1) for job in jobs]
    return retries.open_round(world.member(), folder, {(1, 1): pieces}, "wwchen")


def failed(world: World) -> tuple[str, Tending]:
    """A session that is closed; its jobs may have failed for good."""
    sid, spoold = offered(world)
    publish_tally(world, sid, DONE)
    world.let(spoold, turns=3)
    assert os.listdir(world.layout.closed) == [sid]
    return sid, spoold


def test_a_retry_of_a_closed_session_runs_its_jobs_in_a_round_of_their_own(world: World) -> None:
    sid, spoold = failed(world)
    assert retry(world, sid, world.layout.closed_session(sid), 2, 3) == 1
    world.layout.closed_session(sid).rename(world.layout.session(sid))
    world.let(spoold, turns=6)
    assert ready(world) == [Unit(sid, 1, 1, 2, 3, 1, 0), Unit(sid, 1, 1, 3, 4, 1, 0)]
    assert check(world.root) == []
    for one in ready(world):
        world.plant_ready(one).unlink()
    publish_tally(world, sid, Tally(DONE.final, round=1), seq=2)
    world.let(spoold, turns=3)
    assert os.listdir(world.layout.closed) == [sid]


def test_attempts_count_from_the_start_in_a_new_round(world: World) -> None:
    sid, spoold = offered(world)
    retry(world, sid, world.layout.session(sid), 2)
    for path in list(world.layout.ready.glob("*/*")):
        path.unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2), (4, 5)], (1, 2): [(1, 2)]}, {(1, 1): [(2, 0, 2), (3, 0, 1)]}))
    world.let(spoold, turns=6)
    assert ready(world) == [Unit(sid, 1, 1, 2, 3, 1, 0), Unit(sid, 1, 1, 3, 4, 0, 2)]
    for path in list(world.layout.ready.glob("*/*")):
        path.unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2), (3, 5)], (1, 2): [(1, 2)]}, {(1, 1): [(2, 1, 0)]}, {}, 1), 2)
    world.let(spoold, turns=6)
    assert ready(world) == [Unit(sid, 1, 1, 2, 3, 1, 1)]


def test_a_session_is_not_closed_by_a_tally_that_does_not_know_the_retry(world: World) -> None:
    sid, spoold = offered(world)
    retry(world, sid, world.layout.session(sid), 2)
    publish_tally(world, sid, DONE)
    world.let(spoold, turns=8)
    assert world.layout.session(sid).is_dir()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2), (3, 5)], (1, 2): [(1, 2)]}, round=1), seq=2)
    world.let(spoold, turns=8)
    assert world.layout.session(sid).is_dir()


def test_what_pends_of_an_earlier_round_is_forgotten(world: World) -> None:
    sid = world.admit(many=4, few=1)
    beat(world, 10)
    say(world, sid, "pause")
    spoold = world.spoold()
    world.let(spoold, turns=6)
    retry(world, sid, world.layout.session(sid), 2)
    world.let(spoold, turns=6)
    say(world, sid, "resume")
    world.let(spoold, turns=6)
    assert [one for one in ready(world) if one.start == 2] == [Unit(sid, 1, 1, 2, 3, 1, 0)]
    assert len(ready(world)) == 5


@pytest.mark.parametrize("attempt", [0, 2])
def test_a_dead_node_brings_no_job_back_that_a_later_round_names(world: World, attempt: int) -> None:
    sid, spoold = offered(world)
    for path in list(world.layout.ready.glob("*/*")):
        path.unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2), (3, 5)], (1, 2): [(1, 2)]}))
    retry(world, sid, world.layout.session(sid), 2)
    world.plant_claim(unit(sid, 2, 3, attempt=attempt), f"{STRANGER}.expired")
    world.let(spoold, turns=12)
    assert ready(world) == [Unit(sid, 1, 1, 2, 3, 1, 0)]
    assert os.listdir(world.layout.replies) == []


# what is said while a session is being closed


@pytest.mark.parametrize("what", ["delete", "retry"])
def test_what_is_said_at_the_moment_of_closing_is_heard(world: World, what: str) -> None:
    sid = world.admit(many=4, few=1)
    said: list[str] = []

    def speak() -> None:
        said.append(what)
        if what == "delete":
            say(world, sid, "delete")
        else:
            retry(world, sid, world.layout.session(sid), 2)

    beat(world, 10)
    spoold = world.spoold(speaking_before_the_close(world, sid, speak))
    world.let(spoold, turns=4)
    publish_tally(world, sid, DONE)
    world.let(spoold, turns=12)
    assert said == [what]
    if what == "delete":
        assert_deleted(world, sid)
    else:
        assert ready(world) == [Unit(sid, 1, 1, 2, 3, 1, 0)]


def speaking_before_the_close(world: World, sid: str, speak: Callable[[], None]) -> type[Disk]:
    class Speaking(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "rename" and path == world.layout.closed_session(sid):
                nonlocal speak
                speak, now = (lambda: None), speak
                now()

    return Speaking


# what is said while a session is being offered


@pytest.mark.parametrize("verb", ["cancel", "pause", "priority"])
def test_what_is_said_just_before_an_offer_is_heard(world: World, verb: str) -> None:
    sid = world.admit(many=4, few=1)
    beat(world, 10)
    is_said = False

    class Late(Disk):
        """Something is said after the units were chosen: when the rank folder has been listed."""

        def names(self, folder: Path, hidden: bool = False) -> list[str]:
            nonlocal is_said
            found = super().names(folder, hidden)
            if folder.parent == world.layout.ready and not is_said:
                is_said = True
                say(world, sid, verb, 3 if verb == "priority" else None)
            return found

    spoold = world.spoold(Late)
    while not is_said:
        spoold.step()
        world.clock.now += 0.7
    assert ready(world) == []
    world.let(spoold, turns=5)
    assert set(ranks(world)) == ({"097-096", "097-100"} if verb == "priority" else set())


# others, and everything together


def test_other_sessions_go_on(world: World) -> None:
    sid, spoold = offered(world, many=2)
    other = world.admit(many=2, few=1, xml=SESSION.format(many=2, few=1))
    say(world, sid, "cancel")
    world.let(spoold, turns=10)
    assert {one.sid for one in ready(world)} == {other}


def test_a_paused_and_resumed_story_counts_every_job_once(world: World) -> None:
    world.submit(many=12, few=3)
    actors = Actors({"spoold": world.spoold, "node": world.node, "reduced": world.reducer})
    for turn in range(40):
        actors.step()
        world.clock.now += 0.7
        for sid in [name for name in os.listdir(world.layout.sessions) if name.startswith("2")]:
            if turn in (2, 4, 6):
                say(world, sid, "pause" if turn != 4 else "resume")
    for sid in [name for name in os.listdir(world.layout.sessions) if name.startswith("2")]:
        say(world, sid, "resume")
    run_until_closed(world, actors)
    assert set(world.counted().values()) == {"ok"}
    assert len(world.counted()) == 15
    assert check(world.root) == [], state(world)
