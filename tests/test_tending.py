"""spoold: what it offers, to whom, how much, and when it believes that something is missing."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from world import SESSION, STRANGER, Actors, World, run_until_closed, state

from park_spool import naming, sealed, tallies
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit
from park_spool.processes import Identity
from park_spool.tallies import Tally
from park_spool.tending.admission import Admission


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, 0, attempt)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def ready(world: World) -> list[Unit]:
    return sorted(found for path in world.layout.ready.glob("*/*") if (found := naming.parse_unit(path.name)))


def beat(
    world: World,
    cpus: int,
    seconds: dict[str, float] | None = None,
    seq: int = 1,
    node: str = STRANGER,
    **fields: object,
) -> None:
    """A heartbeat of a node that somebody else looks after."""
    report = {
        **fields,
        "node": node,
        "identity": Identity("far", "", "", 1, 1).to_json(),
        "cpus": cpus,
        "job_seconds": seconds or {},
    }
    world.layout.claims(node).mkdir(exist_ok=True)
    (world.layout.nodes / naming.heartbeat_name(node, seq)).write_bytes(sealed.seal_json(report))


def publish_tally(world: World, sid: str, tally: Tally, seq: int = 1) -> None:
    (world.layout.session(sid) / naming.tally_name(STRANGER, seq)).write_bytes(tallies.encode(tally))


def admit(world: World, xml: str, owner: str = "") -> str:
    class Owned(Admission):
        def _owner(self, path: Path) -> str:
            return owner

    admission = Owned(world.member())
    (world.layout.inbox / "film.xml").write_text(xml)
    admission.inbox.heard(["film.xml"])
    [sid] = admission.step()
    return sid


# how much


def test_with_nobody_there_one_unit_waits_at_each_rank(world: World) -> None:
    world.submit(many=100, few=100)
    world.let(world.spoold(), turns=20)
    assert [found.joblist for found in ready(world)] == [1, 2]
    assert check(world.root) == []


def test_the_window_is_filled_and_never_exceeded(world: World) -> None:
    sid = world.admit(many=1000, few=1)
    beat(world, 3)
    spoold = world.spoold()
    for turn in range(40):
        spoold.step()
        assert len(ready(world)) <= 12 + 1
        if turn % 3 == 0 and (found := ready(world)):
            (world.layout.ready / "100-096" / found[0].name).unlink(missing_ok=True)
            world.plant_claim(found[0], STRANGER)
        world.clock.now += 0.7
    spoold.step()
    assert sum(found.joblist == 1 for found in ready(world)) == 12
    claimed = [naming.parse_unit(name) for name in names(world.layout.claims(STRANGER))]
    jobs = Counter(found.start for found in [*ready(world), *claimed] if found and found.joblist == 1)
    assert set(jobs.values()) == {1}, "a job was offered twice"
    assert ready(world)[0].sid == sid


def test_a_million_jobs_are_as_few_names_as_a_thousand(world: World) -> None:
    sid = world.admit(many=1_000_000, few=1)
    beat(world, 2, {f"{sid}/1/1": 0.0001})
    spoold = world.spoold()
    for _ in range(30):
        spoold.step()
        world.clock.now += 0.7
        assert len(ready(world)) <= 8 + 1
    sizes = [found.size for found in ready(world) if found.joblist == 1]
    assert sizes == [world.config.max_unit] * 8


def test_sizes_follow_the_reported_times(world: World) -> None:
    sid = world.admit(many=10_000, few=10)
    beat(world, 2, {f"{sid}/1/1": 0.01})
    world.let(world.spoold(), turns=5)
    assert {found.size for found in ready(world) if found.joblist == 1} == {100}
    assert {found.size for found in ready(world) if found.joblist == 2} == {1}


def test_sizes_shrink_towards_the_end_of_a_job_list(world: World) -> None:
    sid = world.admit(many=60, few=1)
    beat(world, 2, {f"{sid}/1/1": 0.01})
    spoold = world.spoold()
    sizes = []
    for _ in range(60):
        spoold.step()
        for found in ready(world):
            if found.joblist == 1:
                sizes.append(found.size)
                (world.layout.ready / "100-096" / found.name).unlink()
                world.plant_reply(found, STRANGER)
        world.clock.now += 0.1
    assert sum(sizes) == 60
    assert sizes[0] == 15
    assert sizes[-1] == 1


def test_a_node_that_falls_silent_does_not_count_any_more(world: World) -> None:
    world.admit(many=100)
    beat(world, 50)
    spoold = world.spoold()
    world.let(spoold, turns=3)
    assert sum(found.joblist == 1 for found in ready(world)) == 100
    world.let(spoold, turns=20, tick=20.0)
    for path in list(world.layout.ready.glob("*/*")):
        path.unlink()
    world.let(spoold, turns=20, tick=20.0)
    assert sum(found.joblist == 1 for found in ready(world)) == 1


def test_too_many_replies_stop_the_offering(tmp_path: Path) -> None:
    world = World(tmp_path, max_replies=5)
    sid = world.admit(many=100)
    beat(world, 2)
    for job in range(90, 96):
        world.plant_reply(unit(sid, job, job + 1), STRANGER)
    spoold = world.spoold()
    world.let(spoold, turns=10)
    assert ready(world) == []
    next(world.layout.replies.iterdir()).unlink()
    world.let(spoold, turns=2, tick=0.1)
    assert len(ready(world)) > 1


def tagged(world: World, many: int, tag: str = "gpu") -> str:
    """A session whose task asks for a tag; written into session.json, as the parser of sessions does."""
    sid = world.admit(many=many, few=1)
    path = world.layout.session(sid) / "session.json"
    record = json.loads(path.read_text())
    record["groups"][0]["task"]["tags"] = [tag]
    path.write_text(json.dumps(record))
    return sid


def test_the_window_of_a_tag_follows_the_cpus_that_carry_it(world: World) -> None:
    sid = tagged(world, 100)
    beat(world, 50)
    spoold = world.spoold()
    world.let(spoold, turns=5)
    assert sum(found.joblist == 1 for found in ready(world)) == 1, "nobody is there to claim"
    assert names(world.layout.ready) == ["100-096+gpu", "100-100+gpu"]
    beat(world, 3, {f"{sid}/1/1": 0.1}, node="h8_8_000000", tags=["n8", "gpu"])
    world.let(spoold, turns=5)
    assert sum(found.joblist == 1 for found in ready(world)) == 12
    assert max(found.size for found in ready(world)) == 10, (
        "a share of 99 jobs for the 3 CPUs that suit, not for all 53"
    )
    assert check(world.root) == []


def test_a_node_that_claims_nothing_does_not_count(world: World) -> None:
    world.admit(many=100, few=1)
    beat(world, 50, state="draining")
    world.let(world.spoold(), turns=5)
    assert sum(found.joblist == 1 for found in ready(world)) == 1


def test_units_are_larger_where_many_cpus_meet_a_slow_file_system(tmp_path: Path) -> None:
    world = World(tmp_path, units_per_second=100.0)
    sid = world.admit(many=100_000, few=1)
    beat(world, 400, {f"{sid}/1/1": 0.1})
    world.let(world.spoold(), turns=5)
    assert {found.size for found in ready(world) if found.joblist == 1} == {40}


def test_a_rank_that_a_janitor_removes_meanwhile_is_made_again(world: World) -> None:
    world.admit(many=1, few=1)
    left = [3]

    class Rival(Disk):
        def make_folder(self, path: Path) -> bool:
            made = super().make_folder(path)
            if path.parent == world.layout.ready and left[0]:
                left[0] -= 1
                path.rmdir()
            return made

    world.let(world.spoold(Rival), turns=6)
    assert left == [0]
    assert [found.joblist for found in ready(world)] == [1, 2]


def test_a_rank_that_goes_as_often_as_it_is_made_costs_no_job(world: World) -> None:
    world.admit(many=1, few=1)
    is_there = False

    class Rival(Disk):
        def make_folder(self, path: Path) -> bool:
            made = super().make_folder(path)
            if path.parent == world.layout.ready and not is_there:
                path.rmdir()
            return made

    spoold = world.spoold(Rival)
    world.let(spoold, turns=6)
    assert ready(world) == []
    is_there = True
    world.let(spoold, turns=2)
    assert [found.joblist for found in ready(world)] == [1, 2]


# to whom


def test_ranks_are_priorities_and_sort_as_the_order_of_service(world: World) -> None:
    low, high = SESSION.replace("priority='0'", "priority='-7'"), SESSION.replace("priority='0'", "priority='100'")
    for xml in (low, SESSION, high):
        admit(world, xml.format(many=1, few=1))
    world.let(world.spoold(), turns=5)
    assert names(world.layout.ready) == ["000-096", "000-100", "100-096", "100-100", "107-096", "107-100"]
    assert check(world.root) == []


def test_users_share_a_rank_whoever_came_first_and_with_however_many_sessions(world: World) -> None:
    xml = SESSION.format(many=100, few=1)
    greedy = [admit(world, xml, "anna") for _ in range(3)]
    world.clock.now += 60
    modest = admit(world, xml, "bert")
    beat(world, 2)
    world.let(world.spoold(), turns=5)
    found = Counter(one.sid for one in ready(world) if one.joblist == 1)
    assert found[modest] == 4
    assert sum(found[sid] for sid in greedy) == 4


def test_one_user_is_served_in_the_order_of_submission(world: World) -> None:
    first = world.admit(many=6)
    world.clock.now += 60
    second = world.admit(many=6)
    beat(world, 2)
    world.let(world.spoold(), turns=3)
    assert Counter(one.sid for one in ready(world) if one.joblist == 1) == {first: 6, second: 2}


# what is missing


def test_a_restarted_spoold_offers_nothing_that_stands_somewhere(world: World) -> None:
    sid = world.admit(many=6, few=1)
    beat(world, 2)
    world.plant_ready(unit(sid, 1, 3))
    world.plant_claim(unit(sid, 3, 4), STRANGER)
    world.plant_reply(unit(sid, 4, 5), STRANGER)
    publish_tally(world, sid, Tally({(1, 1): [(5, 6)], (1, 2): [(1, 2)]}))
    world.let(world.spoold(), turns=10)
    assert ready(world) == [unit(sid, 1, 3), unit(sid, 6, 7)]


def test_missing_needs_two_looks_further_apart_than_the_staleness(tmp_path: Path) -> None:
    world = World(tmp_path, staleness_seconds=35.0)
    sid = world.admit(many=1, few=1)
    spoold = world.spoold()
    spoold.step()
    since = world.clock.now
    while not ready(world):
        spoold.step()
        world.clock.now += 1.0
    assert world.clock.now - since > 35.0
    assert ready(world) == [unit(sid), unit(sid, joblist=2)]


def test_a_unit_that_one_look_missed_is_not_offered_again(world: World) -> None:
    """It moved back while the listings were made, or one of them was stale."""
    sid = world.admit(many=1, few=1)
    publish_tally(world, sid, Tally({(1, 2): [(1, 2)]}))
    held = world.plant_claim(unit(sid), STRANGER)
    spoold = world.spoold()
    beat(world, 0)
    held.unlink()
    spoold.step()
    held.touch()
    for seq in range(2, 40):
        beat(world, 0, seq=seq)
        world.let(spoold, turns=1, tick=10.0)
    assert ready(world) == []


def test_a_unit_that_vanished_is_offered_again_after_an_audit(world: World) -> None:
    sid = world.admit(many=2, few=1)
    beat(world, 2)
    spoold = world.spoold()
    world.let(spoold, turns=10)
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    world.let(spoold, turns=100, tick=1.0)
    assert unit(sid) in ready(world)


def test_failures_in_a_tally_are_tried_again_at_once_one_attempt_higher(world: World) -> None:
    world.submit(many=3, few=1)
    beat(world, 2)
    spoold = world.spoold()
    world.let(spoold, turns=5)
    [sid] = {found.sid for found in ready(world)}
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    publish_tally(world, sid, Tally({(1, 1): [(1, 2), (3, 4)], (1, 2): [(1, 2)]}, {(1, 1): [(2, 0, 0)]}))
    world.let(spoold, turns=6, tick=0.7)
    assert ready(world) == [unit(sid, 2, 3, attempt=1)]


def test_failures_beyond_those_that_a_tally_names_wait_for_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would be taken for jobs that nobody ran, and run again and again at their first attempt."""
    monkeypatch.setattr(tallies, "MAX_FAILURES", 2)
    world = World(tmp_path)
    ran: Counter[tuple[int, int]] = Counter()

    def failing(joblist: int, job: int, attempt: int) -> str:
        ran[joblist, job] += 1
        return "failed"

    world.script = failing
    world.submit(many=9, few=1)
    run_until_closed(world, Actors({"spoold": world.spoold, "node": world.node, "reduced": world.reducer}))
    assert ran == dict.fromkeys([*((1, job) for job in range(1, 10)), (2, 1)], world.config.max_attempts)
    assert set(world.counted().values()) == {"failed"}
    assert check(world.root) == []


@pytest.mark.parametrize("stop", [2, 9])
def test_an_unreadable_reply_in_quarantine_is_run_again(world: World, stop: int) -> None:
    sid = world.admit(many=8, few=1)
    publish_tally(world, sid, Tally({(1, 1): [(stop, 9)] if stop < 9 else [], (1, 2): [(1, 2)]}))
    (world.layout.quarantine / naming.reply_name(unit(sid, 1, stop), STRANGER)).touch()
    beat(world, 10)
    world.let(world.spoold(), turns=5)
    # One job: one attempt higher. Many: cut into eight, so that the one that cannot be answered is soon alone.
    expected = [unit(sid, attempt=1)] if stop == 2 else [unit(sid, job, job + 1) for job in range(1, 9)]
    assert ready(world) == expected


def test_a_unit_of_many_jobs_in_quarantine_is_cut_even_where_units_are_large(world: World) -> None:
    sid = world.admit(many=800, few=1)
    publish_tally(world, sid, Tally({(1, 2): [(1, 2)]}))
    (world.layout.quarantine / naming.reply_name(unit(sid, 1, 801), STRANGER)).touch()
    beat(world, 1, {f"{sid}/1/1": 0.0001})
    world.let(world.spoold(), turns=5)
    assert max(found.size for found in ready(world)) <= 100


def test_an_unreadable_reply_at_the_last_attempt_is_given_up(world: World) -> None:
    sid = world.admit(many=1, few=1)
    publish_tally(world, sid, Tally({(1, 2): [(1, 2)]}))
    (world.layout.quarantine / naming.reply_name(unit(sid, attempt=2), STRANGER)).touch()
    world.let(world.spoold(), turns=5)
    [name] = names(world.layout.replies)
    assert naming.parse_reply(name)[0] == unit(sid, attempt=2)  # type: ignore[index]
    assert ready(world) == []


# strays, closing, broken sessions


def test_units_of_sessions_that_are_closed_or_unknown_are_dropped(world: World) -> None:
    sid = world.admit(many=1, few=1)
    world.plant_ready(unit(sid))
    world.layout.session(sid).rename(world.layout.closed_session(sid))
    world.plant_ready(unit("20261123-025532-zzzz"), "100-100")
    assert len(check(world.root)) == 2
    world.let(world.spoold(), turns=2)
    assert ready(world) == []
    assert check(world.root) == []


def test_a_session_is_closed_when_all_its_jobs_are_final_and_its_units_go(world: World) -> None:
    sid = world.admit(many=4, few=1)
    spoold = world.spoold()
    world.let(spoold, turns=4)
    assert ready(world) != []
    publish_tally(world, sid, Tally({(1, 1): [(1, 5)]}))
    world.let(spoold, turns=4)
    assert world.layout.session(sid).is_dir()
    publish_tally(world, sid, Tally({(1, 1): [(1, 5)], (1, 2): [(1, 2)]}), seq=2)
    world.let(spoold, turns=4)
    assert names(world.layout.closed) == [sid]
    assert ready(world) == []
    assert check(world.root) == []


def test_the_tallies_of_two_reducers_close_a_session_together(world: World) -> None:
    sid = world.admit(many=4, few=1)
    publish_tally(world, sid, Tally({(1, 1): [(1, 5)]}))
    other = world.layout.session(sid) / naming.tally_name("h2_2_000000", 1)
    other.write_bytes(tallies.encode(Tally({(1, 2): [(1, 2)]})))
    world.let(world.spoold(), turns=4)
    assert names(world.layout.closed) == [sid]


def test_a_broken_session_does_not_stop_the_others(world: World) -> None:
    broken, sound = world.admit(), world.admit()
    (world.layout.session(broken) / "session.json").write_text("{}")
    world.plant_claim(unit(broken), STRANGER)
    world.let(world.spoold(), turns=60, tick=5.0)
    assert {found.sid for found in ready(world)} == {sound}


def test_only_the_active_one_acts(world: World) -> None:
    active, standby = world.spoold(), world.spoold()
    active.step()
    world.submit()
    world.let(standby, turns=10, tick=2.0)
    assert len(names(world.layout.inbox)) == 1
    world.let(active, standby, turns=5)
    assert names(world.layout.inbox) == []
    active.resign()
    world.clock.now += world.config.lease_renew
    standby.step()
    assert standby.is_active


def test_waiting_is_short_only_where_something_is_going_on(world: World) -> None:
    spoold = world.spoold()
    assert spoold.wait_seconds() == world.config.lease_renew
    spoold.step()
    assert spoold.wait_seconds() == world.config.look_seconds
    (world.layout.inbox / "film.xml").write_text("<session")
    spoold.step()
    assert spoold.wait_seconds() == world.config.settle_seconds


@pytest.mark.parametrize("seed", range(3))
def test_two_active_spoolds_offer_the_same_names(tmp_path: Path, seed: int) -> None:
    """Nobody sees the other's lock: names collide harmlessly, and every job still counts once."""
    world = World(tmp_path, seed=seed)
    world.submit(many=12, few=3)

    class Lockless(Disk):
        def names(self, folder: Path, hidden: bool = False) -> list[str]:
            found = super().names(folder, hidden)
            return [name for name in found if self._owner in name] if folder == world.layout.locks else found

    rivals = {f"spoold {number}": (lambda: world.spoold(Lockless)) for number in range(2)}
    run_until_closed(world, Actors({**rivals, "node": world.node, "reduced": world.reducer}))
    assert set(world.counted().values()) == {"ok"}
    assert len(world.counted()) == 15
    assert check(world.root) == [], state(world)
