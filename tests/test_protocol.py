"""PROTOCOL.md against the code: its tables of folders, names, states, returns and cleanups are what really happens."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from test_check import LEGAL
from world import SESSION, STRANGER, Actors, World, run_until_closed, state

from park_spool import controls, naming, retries, tallies, wishes
from park_spool.archive import snapshots
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.config import Config
from park_spool.layout import FOLDERS, SETTINGS
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.patterns import PATTERNS
from park_spool.tallies import Tally

PAGE = (Path(__file__).parent.parent / "park_spool" / "PROTOCOL.md").read_text(encoding="utf-8")
PLACES = ("ready", "claimed", "expired", "replies", "bundle")
Combination = tuple[bool, ...]


def section(number: int) -> str:
    return PAGE.split(f"\n## {number}. ")[1].split("\n## ")[0]


def table(number: int) -> list[list[str]]:
    """The cells of a section's table, its head left out."""
    rows = [line for line in section(number).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


# 2 and 3: folders and names


def test_the_folders_are_those_of_the_table() -> None:
    assert [row[0] for row in table(2)] == list(FOLDERS)
    assert SETTINGS in section(2)


def test_the_names_are_those_of_the_table() -> None:
    assert {row[0] for row in table(3)} == set(PATTERNS)


@pytest.mark.parametrize("word", PATTERNS)
def test_each_example_is_a_name_of_its_kind_and_of_no_other(word: str) -> None:
    [example] = [row[2].strip("`") for row in table(3) if row[0] == word]
    assert [other for other, pattern in PATTERNS.items() if pattern.fullmatch(example)] == [word]


def test_every_kind_of_name_is_made_somewhere_in_a_story(tmp_path: Path) -> None:
    seen: set[str] = set()

    class Watching(Disk):
        def step(self, call: str, path: Path) -> None:
            seen.update(word for word, pattern in PATTERNS.items() if pattern.fullmatch(path.name))

    world = World(tmp_path)
    sid = world.admit(xml=SESSION.format(many=4, few=2).replace("name='few'", "name='few' order='sequential'"))
    world.plant_claim(Unit(sid, 1, 1, 1, 2), STRANGER)
    user, folder = world.member(Watching), world.layout.session(sid)
    controls.say(user, folder, "priority", "wwchen", 7)
    story(world, Watching)
    keep(world, user, sid)
    deliver(world, user, sid)
    snapshots.publish(user, world.config.archive)
    user.disk.publish(world.layout.tmp / naming.payload_name(1, 2), b"")
    user.disk.publish(world.layout.tmp / naming.alive_name(1), b"")
    retries.open_round(user, world.layout.closed_session(sid), {(1, 1): [(1, 2)]}, "wwchen")
    user.disk.move(world.layout.closed_session(sid), folder)
    story(world, Watching)
    controls.say(user, world.layout.closed_session(sid), "delete", "wwchen")
    user.disk.create(world.layout.notices / wishes.notice_name(STRANGER, "drain"))
    user.disk.create(world.layout.notices / wishes.away_name("n4"))
    user.disk.publish(world.layout.pilots / wishes.pilot_name("slurm", "4711", user.choose), b"")
    user.disk.move(world.layout.closed_session(sid), folder)
    world.let(world.spoold(Watching), world.reducer(Watching), turns=120)
    assert seen == set(PATTERNS)
    assert os.listdir(world.layout.closed) == [f"{sid}.deleted"]
    assert not world.layout.kept(sid).exists()
    assert check(world.root) == [], state(world)


def deliver(world: World, reducer: Member, sid: str) -> None:
    """What a reducer's child does with the answer of a session that is closed."""
    for edition in (1, 2):
        reducer.disk.make_folder(world.layout.delivered(sid, edition))
    reducer.disk.create(world.layout.closed_session(sid) / wishes.Told(1, "done", "mail").name)


def keep(world: World, worker: Member, sid: str) -> None:
    """What a worker does with a file that a job left in $PARK_OUTPUT."""
    worker.disk.make_folder(world.layout.kept(sid))
    data = b"profile"
    worker.disk.publish(world.layout.kept(sid) / hashlib.sha256(data).hexdigest(), data, durable=True)


def story(world: World, disk: type[Disk], watch: Callable[[], None] = lambda: None) -> None:
    makers = {
        "spoold": lambda: world.spoold(disk),
        "node": lambda: world.node(disk),
        "reduced": lambda: world.reducer(disk),
    }
    actors = Actors({name: (lambda make=make: Watched(make(), watch)) for name, make in makers.items()})  # type: ignore[misc]
    run_until_closed(world, actors)


class Watched:
    """An actor, and somebody who looks after each of its steps."""

    def __init__(self, actor: object, watch: Callable[[], None]) -> None:
        self._actor, self._watch = actor, watch

    def step(self) -> bool:
        did: bool = self._actor.step()  # type: ignore[attr-defined]
        self._watch()
        return did


# 4: where a unit may stand


def listed() -> dict[Combination, tuple[str, str]]:
    return {tuple(cell == "+" for cell in row[:5]): (row[5], row[6]) for row in table(4)}


def is_offered_twice(combination: Combination) -> bool:
    """The rule below the table: ready together with a place further on, or held by one node and on its way back from another."""
    ready, claimed, expired, *further = combination
    return (ready and any((claimed, expired, *further))) or (claimed and expired)


EVERY = list(itertools.product((False, True), repeat=5))


def shown(combination: Combination) -> str:
    return " ".join(place for place, there in zip(PLACES, combination, strict=True) if there) or "nowhere"


def plant(world: World, unit: Unit, combination: Combination) -> None:
    ready, claimed, expired, replied, bundled = combination
    if ready:
        world.plant_ready(unit)
    if claimed:
        world.plant_claim(unit, STRANGER)
    if expired:
        world.plant_claim(unit, "h8000_8000_000000.expired")
    if replied:
        world.plant_reply(unit, STRANGER)
    if bundled:
        world.plant_bundle(unit, STRANGER)


def where(world: World) -> dict[Unit, Combination]:
    """Where each unit of the spool stands now, as the table counts places."""
    found: dict[Unit, set[str]] = {}

    def note(names: Iterator[Path], place: str) -> None:
        for path in names:
            unit = naming.parse_unit(path.name.partition("@")[0])
            if unit is not None:
                found.setdefault(unit, set()).add(place)

    spool = world.layout
    note(spool.ready.glob("*/*"), "ready")
    note((path for path in spool.claimed.glob("*/*") if path.parent.suffix != naming.EXPIRED), "claimed")
    note(spool.claimed.glob("*.expired/*"), "expired")
    note(spool.replies.iterdir(), "replies")
    for path in spool.reduced.glob("*/*"):
        note(map(Path, re.findall(r"^(\S+@\S+) \d+$", path.read_bytes().decode(), re.MULTILINE)), "bundle")
    return {unit: tuple(place in places for place in PLACES) for unit, places in found.items()}


def test_the_table_and_the_rule_below_it_cover_every_combination_once() -> None:
    for combination in EVERY:
        assert (combination in listed()) != is_offered_twice(combination), shown(combination)


@pytest.mark.parametrize("combination", EVERY, ids=shown)
def test_check_allows_every_combination_and_each_ends_by_itself(tmp_path: Path, combination: Combination) -> None:
    """None of them is illegal, whoever made it; no job is lost by it, none is counted twice, and no name is left."""
    world = World(tmp_path)
    sid = world.admit(many=2, few=1)
    plant(world, Unit(sid, 1, 1, 1, 2), combination)
    assert check(world.root) == []
    story(world, Disk)
    assert world.counted() == {(1, 1): "ok", (1, 2): "ok", (2, 1): "ok"}
    assert world.bundled() == {(1, 1), (1, 2), (2, 1)}
    assert check(world.root) == [], state(world)


@pytest.mark.parametrize("combination", EVERY, ids=shown)
def test_units_of_several_jobs_end_by_themselves_too(tmp_path: Path, combination: Combination) -> None:
    world = World(tmp_path)
    sid = world.admit(many=9, few=1)
    plant(world, Unit(sid, 1, 1, 1, 10), combination)
    assert check(world.root) == []
    story(world, Disk)
    assert world.counted() == {**{(1, job): "ok" for job in range(1, 10)}, (2, 1): "ok"}
    assert check(world.root) == [], state(world)


def test_a_story_shows_no_other_combination_at_any_system_call(tmp_path: Path) -> None:
    """At rest, between two steps, only those that the table does not put down to a crash; in between, any of its rows."""
    world = World(tmp_path)
    moving: set[Combination] = set()
    at_rest: set[Combination] = set()

    class Watching(Disk):
        def step(self, call: str, path: Path) -> None:
            if call in ("rename", "unlink", "create"):
                moving.update(where(world).values())

    world.plant_claim(Unit(world.admit(many=5, few=2), 1, 1, 1, 2), STRANGER)
    story(world, Watching, lambda: at_rest.update(where(world).values()))
    assert moving <= set(listed())
    assert {shown(one) for one in at_rest} <= {shown(one) for one, (_, crash) in listed().items() if crash == "no"}
    assert {shown(one) for one in at_rest} >= {"ready", "claimed", "replies", "replies bundle", "bundle"}
    assert {shown(one) for one in moving} >= {"expired", "claimed replies"}


# 6: what becomes of a dead node's units

ONE, MANY = (1, 2), (1, 17)
RETURNS: dict[str, tuple[tuple[int, int], int, Callable[[World, Unit], object]]] = {
    "answered (a reply stands in `replies/`), or all its jobs final, or the session cancelled, or a later round names its jobs": (
        ONE,
        0,
        lambda w, u: w.plant_reply(u, STRANGER),
    ),
    "many jobs": (MANY, 0, lambda w, u: None),
    "one job, attempts left": (ONE, 1, lambda w, u: None),
    "one job of a node with `NODE.ended`": (ONE, 1, lambda w, u: (w.layout.notices / f"{STRANGER}.ended").touch()),
    "one job, no attempt left": (ONE, 2, lambda w, u: None),
}


def final(world: World, unit: Unit) -> None:
    tally = Tally({unit.key: [(unit.start, unit.stop)]})
    (world.layout.session(unit.sid) / naming.tally_name(STRANGER, 1)).write_bytes(tallies.encode(tally))


def come_back(
    world: World, jobs: tuple[int, int], attempt: int, more: Callable[[World, Unit], object]
) -> tuple[list[Unit], list[str]]:
    """Let a dead node's unit come back; return what is offered of its jobs, and which replies stand."""
    sid = world.admit(many=16, few=1)
    unit = Unit(sid, 1, 1, *jobs, 0, attempt)
    world.plant_claim(unit, f"{STRANGER}.expired")
    more(world, unit)
    spoold = world.spoold()
    for _ in range(4):
        spoold.step()
        for path in list(world.layout.ready.glob("*/*")):  # somebody claims: the window of nobody is one unit
            path.rename(world.layout.tmp / path.name)
        world.clock.now += 0.7
    world.let(spoold, turns=20)
    offered = [naming.parse_unit(path.name) for path in [*world.layout.tmp.iterdir(), *world.layout.ready.glob("*/*")]]
    assert os.listdir(world.layout.expired(STRANGER)) == []
    back = [one for one in offered if one and one.key == (1, 1) and jobs[0] <= one.start < jobs[1]]
    return sorted(back), os.listdir(world.layout.replies)


def test_the_table_of_returns_names_what_is_tried_here() -> None:
    assert {row[0] for row in table(6)} == set(RETURNS)


@pytest.mark.parametrize("more", [lambda w, u: w.plant_reply(u, STRANGER), final], ids=["answered", "final"])
def test_return_of_the_answered(tmp_path: Path, more: Callable[[World, Unit], object]) -> None:
    offered, _ = come_back(World(tmp_path), ONE, 0, more)
    assert offered == []


def test_return_of_many_jobs(tmp_path: Path) -> None:
    offered, _ = come_back(World(tmp_path), *RETURNS["many jobs"])
    assert offered[0].start == 1
    assert {one.attempt for one in offered} == {0}
    assert max(one.size for one in offered) <= 2


def test_return_of_one_job_with_attempts_left(tmp_path: Path) -> None:
    offered, replies = come_back(World(tmp_path), *RETURNS["one job, attempts left"])
    assert [(one.start, one.stop, one.attempt) for one in offered] == [(1, 2, 2)]
    assert replies == []


def test_return_of_one_job_whose_node_was_ended_from_outside(tmp_path: Path) -> None:
    offered, replies = come_back(World(tmp_path), *RETURNS["one job of a node with `NODE.ended`"])
    assert [(one.start, one.stop, one.attempt) for one in offered] == [(1, 2, 1)]
    assert replies == []


def test_return_of_one_job_without(tmp_path: Path) -> None:
    world = World(tmp_path)
    offered, [reply] = come_back(world, *RETURNS["one job, no attempt left"])
    assert offered == []
    assert json.loads((world.layout.replies / reply).read_bytes().splitlines()[1])["status"] == "lost"


# 9: cleanups, and the settings that the page names

REPORTED = {
    "`reduced/SID` and `files/SID` of a session that `park import` did not finish",
    "torn reply",
    "reply of a session that was never admitted",
}
LEFTOVERS = {
    "`sessions/.SID` with a session": "a full .SID",
    "`sessions/.SID` empty": "an empty .SID",
    "`rejected/NAME.why` alone": "a reason alone",
    "`claimed/NODE` of a dead node": "an empty folder of a dead node",
    "`claimed/NODE.expired`": "an expired folder",
    "heartbeats of and notices to a dead node": "a notice to a dead node",
    "a notice to a node or master that is not there (any more)": "a notice to a dead node",
    "the lock of a master that is gone": "a lock of a master that is gone",
    "the record of a batch job that is over": "a record of a batch job that is over",
    "a unit under a rank that is not its session's any more": "a unit under an earlier rank",
    "an empty rank folder that no open session uses": "an empty rank",
    "`sessions/SID` beside its tombstone": "a session beside its tombstone, not closed",
    "what a deleted session's jobs kept": "what is left of a deleted session, not closed",
    "`calls/SID` without a session": "calls without a session",
    "a session of calls whose asker is gone": "calls whose asker is gone",
    "earlier signs of life of an asker": "calls whose asker is gone",
    "units and replies of a deleted session of calls": "units and replies of deleted calls",
    "the tombstone of a session of calls": "a tombstone of calls",
    "rows, bundles and outbox folders of a deleted session": "a bundle of a deleted session, not closed",
    "bundle written but not counted": "a bundle that nobody counted",
    "reply counted but not unlinked": "a reply bundled and not unlinked",
    "tallies of earlier reducers": "a tally of an earlier reducer",
    "start values of a step that is final": "start values of a step that is final",
    "locks of lower epochs": "a lock of a lower epoch",
    "snapshots of reducers that are gone": "a snapshot of a reducer that is gone",
    "`tmp/` names": "a temporary file",
}


def test_every_leftover_of_the_table_is_legal_for_check() -> None:
    """All but a torn reply: that is reported until the reducer has put it aside, since it is a loss of work."""
    assert {row[0] for row in table(9)} == {*LEFTOVERS, *REPORTED}
    assert set(LEFTOVERS.values()) <= set(LEGAL)


def test_the_settings_that_the_page_names_exist() -> None:
    settings = {field.name for field in fields(Config)}
    named = set(re.findall(r"`([a-z]+_(?:seconds|expiry|lifetime|renew|attempts))`", PAGE))
    assert len(named) >= 5
    assert named <= settings
