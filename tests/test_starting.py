"""The reducer and start values: which it publishes when, from what, and when it gives a session up."""

from __future__ import annotations

import doctest
import json
import os
from pathlib import Path
from typing import Any

import pytest
from chains import events, group, joblist, session, standing, states, steps
from world import STRANGER, World

from park_spool import controls, naming, retries, starts
from park_spool.archive.ahead import Fit
from park_spool.check import check
from park_spool.naming import Start, Unit
from park_spool.reducing import ahead, starting
from park_spool.reducing.ahead import Ahead, Doomed, Go, judge
from park_spool.reducing.role import Reduction
from park_spool.starts import Given

OTHER = "20261123-025532-zzzz"
ALONE = session(group())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_doctests() -> None:
    assert [doctest.testmod(module).failed for module in (starts, ahead, starting)] == [0, 0, 0]


# deciding

FIT = Fit(1, 1, 2, 7.5, "{}")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Ahead("x", "open", 4, 4, FIT), None),
        (Ahead("x", "complete", 4, 1, FIT), Go(FIT)),
        (Ahead("x", "cancelled", 4, 1, FIT), Go(FIT)),
        (Ahead("x", "incomplete", 4, 1, FIT), Go(FIT)),
        (Ahead("x", "complete", 4, 4), Go(None)),
        (Ahead("x", "complete", 4, 3), Doomed("x, which gave no fit to start from: 3 of 4 jobs are ok")),
        (
            Ahead("x", "cancelled", 4, 0),
            Doomed("x, which was cancelled before it gave a fit to start from: 0 of 4 jobs are ok"),
        ),
        (Ahead("x", "complete"), Doomed("x, which does not exist")),
        (Ahead("x", "deleted"), Doomed("x, which was deleted")),
        (Ahead("x", "rejected"), Doomed("x, which was rejected")),
        (Ahead("x", "unknown"), Doomed("x, which is not known here")),
        (Ahead("x", "doomed"), Doomed("x, which waits for nothing that can come")),
        (Ahead("x", "circle"), Doomed("x, which waits for this one in turn")),
    ],
)
def test_what_follows_from_what_became_of_the_other(seen: Ahead, expected: object) -> None:
    assert judge(seen) == expected


# groups of one session


def answer(world: World, sid: str, job: str, status: str = "ok", attempt: int = 0, **output: Any) -> None:
    """Plant the reply of one job, `group.joblist.job`."""
    number, place, start = map(int, job.split("."))
    unit = Unit(sid, number, place, start, start + 1, 0, attempt)
    world.plant_reply(unit, STRANGER, status, output=json.dumps(output) if output else "")


def fit(world: World, sid: str, job: str, chisq: float, **parameters: float) -> None:
    rows = [{"name": name, "value": value} for name, value in parameters.items()]
    answer(world, sid, job, chisq=chisq, parameters=rows)


def reduce(world: World, reducer: Reduction | None = None, turns: int = 4) -> Reduction:
    reducer = reducer or world.reducer()
    world.let(reducer, turns=turns, tick=1.1)
    return reducer


def folder(world: World, sid: str) -> Path:
    here = world.layout
    return here.session(sid) if here.session(sid).is_dir() else here.closed_session(sid)


def close(world: World, sid: str) -> None:
    world.layout.session(sid).rename(world.layout.closed_session(sid))


def why(world: World, sid: str) -> str | None:
    disk, names = world.member().disk, os.listdir(folder(world, sid))
    return controls.why_cancelled(disk, folder(world, sid), names)


def test_a_group_starts_from_the_best_fit_of_another_when_all_its_jobs_are_final(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(3)), group(after="1")))
    fit(world, sid, "1.1.1", 5.0, x=1)
    fit(world, sid, "1.1.2", 2.5, x=2)
    reducer = reduce(world)
    assert standing(world, sid) == {}
    answer(world, sid, "1.1.3", "failed", attempt=2)
    reduce(world, reducer)
    assert standing(world, sid) == {Start(2): Given({"x": "2"}, sid, "1.1.2", 2.5)}
    assert states(world) == {sid: "running"}
    assert check(world.root) == []
    reducer.leave()


def test_without_chisq_a_group_goes_on_from_nothing_if_every_job_is_ok(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(2)), group(after="1")))
    for job in (1, 2):
        answer(world, sid, f"1.1.{job}", parameters=[{"name": "x", "value": 1}])
    reduce(world).leave()
    assert standing(world, sid) == {Start(2): Given()}


def test_without_any_fit_the_session_is_cancelled_with_the_reason(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(2)), group(after="1"), group(after="2")))
    answer(world, sid, "1.1.1")
    answer(world, sid, "1.1.2", "failed", attempt=2)
    reduce(world).leave()
    assert standing(world, sid) == {}
    assert states(world) == {sid: "cancelled"}
    reason = "group 2 waited for group 1, which gave no fit to start from: 1 of 2 jobs are ok"
    assert why(world, sid) == reason
    assert events(world, sid) == [("cancel", reason)]
    [said] = [
        json.loads((folder(world, sid) / name).read_bytes())
        for name in os.listdir(folder(world, sid))
        if name.startswith("control.")
    ]
    assert (said["by"], said["why"]) == ("park-reduced", reason)
    assert check(world.root) == []


def test_what_another_group_has_still_to_do_comes_first(world: World) -> None:
    sid = world.admit(xml=session(group(), group(after="1"), group(joblist(2))))
    answer(world, sid, "1.1.1", "failed", attempt=2)
    fit(world, sid, "3.1.1", 1.0)
    reducer = reduce(world)
    assert states(world) == {sid: "running"}
    fit(world, sid, "3.1.2", 1.0)
    reduce(world, reducer).leave()
    assert states(world) == {sid: "cancelled"}


def test_a_start_stands_whatever_becomes_of_what_it_came_from(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(2)), group(after="1")))
    fit(world, sid, "1.1.1", 5.0, x=1)
    answer(world, sid, "1.1.2", "failed", attempt=2)
    reducer = reduce(world)
    before = standing(world, sid)
    retries.open_round(world.member(), folder(world, sid), {(1, 1): [(2, 3)]}, "wei")
    reduce(world, reducer)
    world.plant_reply(Unit(sid, 1, 1, 2, 3, 1), STRANGER, output=json.dumps({"chisq": 1.0}))
    reduce(world, reducer).leave()
    assert standing(world, sid) == before == {Start(2): Given({"x": "1"}, sid, "1.1.1", 5.0)}


# another session


def both(world: World, after: str = OTHER, first: str = session(group(joblist(2)))) -> str:
    """Admit a session under a known id, and one that waits for it; return the id of the second."""
    (world.layout.inbox / naming.submitted_name(OTHER, "first.xml")).write_text(first)
    world.let(world.spoold(), turns=3)
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    assert world.layout.session(OTHER).is_dir()
    return world.admit(xml=session(group(), after=after))


def test_a_session_starts_when_all_jobs_of_another_are_final(world: World) -> None:
    sid = both(world)
    fit(world, OTHER, "1.1.1", 5.0, x=1)
    reducer = reduce(world)
    assert (standing(world, sid), states(world)[sid]) == ({}, "queued")
    fit(world, OTHER, "1.1.2", 6.0, x=2)
    reduce(world, reducer).leave()
    assert standing(world, sid) == {Start(1): Given({"x": "1"}, OTHER, "1.1.1", 5.0)}
    assert states(world)[sid] == "queued"
    assert check(world.root) == []


@pytest.mark.parametrize(
    ("after", "groups", "expected"),
    [(OTHER, 3, ["1.1.1", "2.1.1", "2.1.1"]), (f"{OTHER}.1", 2, ["1.1.1", "1.1.1"])],
)
def test_each_group_starts_from_that_of_its_number_or_the_last(
    world: World, after: str, groups: int, expected: list[str]
) -> None:
    both(world, first=session(group(), group()))
    sid = world.admit(xml=session(*[group() for _ in range(groups)], after=after))
    for number in (1, 2):
        fit(world, OTHER, f"{number}.1.1", 5.0, x=number)
    reduce(world).leave()
    assert [given.job for given in standing(world, sid).values()] == expected


def test_a_group_that_the_other_has_not(world: World) -> None:
    sid = both(world, after=f"{OTHER}.7")
    for job in (1, 2):
        fit(world, OTHER, f"1.1.{job}", 5.0)
    reduce(world).leave()
    assert why(world, sid) == f"it waited for group 7 of session {OTHER}, which does not exist"


def test_a_closed_session_is_known_as_long_as_it_is_there(world: World) -> None:
    sid = both(world)
    for job in (1, 2):
        fit(world, OTHER, f"1.1.{job}", 5.0)
    close(world, sid)  # nobody waits yet
    reduce(world).leave()
    close(world, OTHER)
    world.layout.closed_session(sid).rename(world.layout.session(sid))
    reduce(world).leave()
    assert standing(world, sid)[Start(1)].job == "1.1.1"


def test_one_that_was_closed_before_this_archive_was_made(world: World) -> None:
    sid = both(world)
    for job in (1, 2):
        fit(world, OTHER, f"1.1.{job}", float(job))
    reduce(world).leave()
    (folder(world, sid) / Start(1).name).unlink()
    close(world, OTHER)
    reduce(world, world.reducer(archive=world.root / "archive" / "second.sqlite")).leave()
    assert standing(world, sid) == {Start(1): Given({}, OTHER, "1.1.1", 1.0)}


def test_one_that_was_cancelled_leaves_its_best_so_far(world: World) -> None:
    sid = both(world)
    fit(world, OTHER, "1.1.2", 5.0, x=3)
    controls.say(world.member(), folder(world, OTHER), "cancel", "wei")
    reducer = reduce(world)
    assert states(world) == {OTHER: "cancelled", sid: "queued"}
    assert standing(world, sid) == {}, "what was finished may still come in"
    close(world, OTHER)
    reducer.step()
    assert standing(world, sid) == {}, "one look may be stale"
    reduce(world, reducer).leave()
    assert standing(world, sid) == {Start(1): Given({"x": "3"}, OTHER, "1.1.2", 5.0)}


def test_one_that_was_cancelled_before_any_fit_takes_others_with_it(world: World) -> None:
    sid = both(world)
    third = world.admit(xml=session(group(), after=sid))
    controls.say(world.member(), folder(world, OTHER), "cancel", "wei")
    close(world, OTHER)
    reducer = reduce(world)
    assert (
        why(world, sid)
        == f"it waited for group 1 of session {OTHER}, which was cancelled before it gave a fit to start from: 0 of 2 jobs are ok"
    )
    close(world, sid)
    reduce(world, reducer).leave()
    assert (
        why(world, third)
        == f"it waited for group 1 of session {sid}, which was cancelled before it gave a fit to start from: 0 of 1 jobs are ok"
    )
    assert set(states(world).values()) == {"cancelled"}


def test_one_that_was_deleted(world: World) -> None:
    sid = both(world)
    reducer = reduce(world)
    world.layout.tombstone(OTHER).write_bytes(b"{}")
    folder(world, OTHER).rename(world.layout.tmp / f"{STRANGER}.1")
    reduce(world, reducer).leave()
    assert why(world, sid) == f"it waited for session {OTHER}, which was deleted"


def test_one_that_was_deleted_while_nobody_reduced(world: World) -> None:
    sid = both(world)
    world.layout.tombstone(OTHER).write_bytes(b"{}")
    folder(world, OTHER).rename(world.layout.tmp / f"{STRANGER}.1")
    reduce(world).leave()
    assert why(world, sid) == f"it waited for session {OTHER}, which was deleted"


def test_one_that_was_rejected(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    (world.layout.inbox / naming.submitted_name(OTHER, "first.xml")).write_text("<session/>")
    reducer = reduce(world)
    assert why(world, sid) is None
    world.let(world.spoold(), turns=3)
    reduce(world, reducer).leave()
    assert why(world, sid) == f"it waited for session {OTHER}, which was rejected"


def test_one_of_which_nobody_has_heard(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    reducer = reduce(world, turns=int(world.config.claim_expiry / 1.1) - 2)
    assert (why(world, sid), states(world)) == (None, {sid: "queued"})
    reduce(world, reducer, turns=6).leave()
    assert why(world, sid) == f"it waited for session {OTHER}, which is not known here"
    assert states(world) == {sid: "cancelled"}


def test_one_that_is_sent_later_is_in_time(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    reducer = reduce(world, turns=60)
    both(world)
    reduce(world, reducer, turns=120)
    assert why(world, sid) is None
    for job in (1, 2):
        fit(world, OTHER, f"1.1.{job}", 5.0)
    reduce(world, reducer).leave()
    assert Start(1) in standing(world, sid)


def test_sessions_that_wait_for_each_other(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    third = world.admit(xml=session(group(), after=sid))
    (world.layout.inbox / naming.submitted_name(OTHER, "first.xml")).write_text(session(group(), after=third))
    world.let(world.spoold(), turns=3)
    reduce(world).leave()
    assert {name for name, state in states(world).items() if state == "cancelled"} >= {sid}
    assert "in turn" in str(why(world, sid))


def test_what_a_retry_names_is_waited_for_again(world: World) -> None:
    sid = both(world)
    for job in (1, 2):
        answer(world, OTHER, f"1.1.{job}", "failed", attempt=2)
    retries.open_round(world.member(), folder(world, OTHER), {(1, 1): [(1, 3)]}, "wei")
    reducer = reduce(world)
    assert why(world, sid) is None
    for job in (1, 2):
        output = json.dumps({"chisq": 7.0})
        world.plant_reply(Unit(OTHER, 1, 1, job, job + 1, 1), STRANGER, output=output)
    reduce(world, reducer).leave()
    assert standing(world, sid)[Start(1)].chisq == 7.0


def test_a_user_who_cancels_it_meanwhile_needs_no_reason(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    controls.say(world.member(), folder(world, sid), "cancel", "wei")
    reduce(world, turns=150).leave()
    assert (why(world, sid), events(world, sid)) == (None, [("cancel", "")])


def test_what_happened_is_the_same_in_an_archive_that_is_made_again(world: World) -> None:
    sid = world.admit(xml=session(group(steps(2)), group(after="1"), group(after=f"{OTHER}.1")))
    world.layout.tombstone(OTHER).write_bytes(b"{}")
    reducer = reduce(world)
    for job in ("1.1.1", "1.1.2"):
        fit(world, sid, job, 1.0)
        reduce(world, reducer)
    fit(world, sid, "2.1.1", 2.0)
    reduce(world, reducer).leave()
    told = [
        ("start", f"group 2 from job 1.1.1 of {sid}"),
        ("cancel", f"group 3 waited for group 1 of session {OTHER}, which was deleted"),
    ]
    assert events(world, sid) == told
    close(world, sid)
    rows = world.rows("events")
    os.unlink(world.config.archive)
    reduce(world).leave()
    assert world.rows("events") == rows


# steps


def test_each_step_starts_from_the_last_that_is_ok(world: World) -> None:
    sid = world.admit(xml=session(group(steps(5), joblist(2))))
    reducer = reduce(world)
    assert standing(world, sid) == {}
    answer(world, sid, "1.1.1", "failed", attempt=2)
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 2): Given()}
    fit(world, sid, "1.1.2", 7.0, x=2.5)
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 3): Given({"x": "2.5"}, sid, "1.1.2", 7.0)}
    answer(world, sid, "1.1.3", "lost", attempt=2)
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 4): Given({"x": "2.5"}, sid, "1.1.2", 7.0)}
    answer(world, sid, "1.1.4", parameters=[{"name": "y", "value": 1}])
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 5): Given({"y": "1"}, sid, "1.1.4", None)}
    fit(world, sid, "1.1.5", 7.0)
    reduce(world, reducer).leave()
    assert standing(world, sid) == {}
    assert check(world.root) == []


def test_a_retry_in_the_middle_gets_its_start_again(world: World) -> None:
    sid = world.admit(xml=session(group(steps(5))))
    reducer = reduce(world)
    for job in range(1, 6):
        if job in (3, 4):
            answer(world, sid, f"1.1.{job}", "failed", attempt=2)
        else:
            fit(world, sid, f"1.1.{job}", 1.0, x=job)
        reduce(world, reducer)
    assert (standing(world, sid), states(world)) == ({}, {sid: "failed"})
    retries.open_round(world.member(), folder(world, sid), {(1, 1): [(3, 5)]}, "wei")
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 3): Given({"x": "2"}, sid, "1.1.2", 1.0)}
    world.plant_reply(
        Unit(sid, 1, 1, 3, 4, 1), STRANGER, output=json.dumps({"parameters": [{"name": "x", "value": 3}]})
    )
    reduce(world, reducer)
    assert standing(world, sid) == {Start(1, 1, 4): Given({"x": "3"}, sid, "1.1.3", None)}
    world.plant_reply(Unit(sid, 1, 1, 4, 5, 1), STRANGER)
    reduce(world, reducer).leave()
    assert (standing(world, sid), states(world)) == ({}, {sid: "done"})


def test_a_start_that_was_lost_or_torn_comes_again(world: World) -> None:
    sid = world.admit(xml=session(group(steps(3)), group(after="1"), group()))
    reducer = reduce(world)
    fit(world, sid, "1.1.1", 1.0, x=7)
    reduce(world, reducer)
    path = folder(world, sid) / Start(1, 1, 2).name
    whole = standing(world, sid)
    path.unlink()
    reduce(world, reducer)
    assert standing(world, sid) == whole
    reducer.leave()
    path.write_bytes(path.read_bytes()[:-9])
    assert len(check(world.root)) == 1
    reduce(world).leave()
    assert standing(world, sid) == whole
    assert check(world.root) == []


def test_a_torn_start_of_a_step_that_is_over_goes_too(world: World) -> None:
    sid = world.admit(xml=session(group(steps(3))))
    reducer = reduce(world)
    fit(world, sid, "1.1.1", 1.0)
    (folder(world, sid) / Start(1, 1, 3).name).write_bytes(b"torn")
    reduce(world, reducer).leave()
    assert list(standing(world, sid)) == [Start(1, 1, 2)]


def test_a_second_reducer_with_an_empty_archive_goes_on(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(2)), group(steps(3), after="1")))
    for job in (1, 2):
        fit(world, sid, f"1.1.{job}", 3.0 - job, x=job)
    reduce(world).leave()
    first = standing(world, sid)
    second = world.reducer(archive=world.root / "archive" / "second.sqlite")
    reduce(world, second)
    assert standing(world, sid) == first == {Start(2): Given({"x": "2"}, sid, "1.1.2", 1.0)}
    fit(world, sid, "2.1.1", 0.5, x=3)
    reduce(world, second).leave()
    assert standing(world, sid) == {**first, Start(2, 1, 2): Given({"x": "3"}, sid, "2.1.1", 0.5)}


def test_a_start_comes_with_the_commit_that_it_follows_from(world: World) -> None:
    """The next step is not to wait for the next look."""
    sid = world.admit(xml=session(group(steps(3)), group(after="1")))
    other = world.admit(xml=session(group(), after=f"{sid}.1"))
    reducer = reduce(world)
    for job in (1, 2, 3):
        fit(world, sid, f"1.1.{job}", 1.0)
        reducer.step()
        assert [start.name for start in standing(world, sid) if start.job] == [Start(1, 1, job + 1).name] * (job < 3)
    assert Start(2) in standing(world, sid)
    fit(world, sid, "2.1.1", 1.0)
    reducer.step()
    assert Start(1) in standing(world, other)
    reducer.leave()


def always_active(world: World) -> Reduction:
    """A second reducer that takes itself for the active one, with an archive of its own."""
    reducer = world.reducer(archive=world.root / "archive" / "second.sqlite")
    reducer._candidate.step = lambda: True  # type: ignore[method-assign]
    return reducer


def test_what_another_reducer_has_counted_is_read_in_before_a_group_is_given_up(world: World) -> None:
    sid = world.admit(xml=session(group(joblist(2)), group(after="1")))
    ours, theirs = reduce(world), always_active(world)
    answer(world, sid, "1.1.1", "failed", attempt=2)
    reduce(world, ours)
    world.plant_reply(Unit(sid, 1, 1, 1, 2), "h8_8_000000", output=json.dumps({"chisq": 5.0}))
    theirs.step()
    answer(world, sid, "1.1.2", "failed", attempt=2)
    reduce(world, ours)
    assert why(world, sid) is None
    assert standing(world, sid)[Start(2)].chisq == 5.0
    for reducer in (ours, theirs):
        reducer.leave()


def test_what_another_reducer_has_published_is_left_alone(world: World) -> None:
    """Its bundle with the step before is read in first, so the start is no stranger here."""
    sid = world.admit(xml=session(group(steps(3))))
    ours, theirs = reduce(world), always_active(world)
    fit(world, sid, "1.1.1", 1.0, x=7)
    reduce(world, theirs)
    assert list(standing(world, sid)) == [Start(1, 1, 2)]
    reduce(world, ours)
    assert standing(world, sid) == {Start(1, 1, 2): Given({"x": "7"}, sid, "1.1.1", 1.0)}
    ours.leave()
    theirs.leave()


def test_a_closed_session_is_given_nothing(world: World) -> None:
    sid = world.admit(xml=session(group(), group(after="1")))
    reducer = reduce(world)
    close(world, sid)
    fit(world, sid, "1.1.1", 1.0)
    reduce(world, reducer).leave()
    assert standing(world, sid) == {}
