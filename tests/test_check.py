"""`check`: one sentence for each illegal state, and none for what crashes legally leave behind."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from world import CALLS, STRANGER, Actors, World, run_until_closed

from park_spool import naming, retries, sealed, starts, tallies, wishes
from park_spool.check import check, check_twice
from park_spool.layout import FOLDERS
from park_spool.naming import Start, Unit
from park_spool.starts import Given
from park_spool.tallies import Tally

OTHER = "20261123-025532-zzzz"
BUNDLE = naming.bundle_name(STRANGER, 1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def unit(sid: str, start: int = 1, stop: int = 2, joblist: int = 1, attempt: int = 0) -> Unit:
    return Unit(sid, 1, joblist, start, stop, 0, attempt)


def touch(path: Path, data: bytes = b"") -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(data)


def as_of(world: World, sid: str, other: str) -> None:
    path = world.layout.session(sid) / "session.json"
    record = json.loads(path.read_text())
    record["admission"]["sid"] = other
    path.write_text(json.dumps(record))


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def bundle(world: World, sid: str, data: bytes) -> None:
    touch(world.layout.bundles(sid) / BUNDLE, data)


def tally(world: World, sid: str, final: Tally) -> None:
    touch(world.layout.session(sid) / naming.tally_name(STRANGER, 1), tallies.encode(final))


def close(world: World, sid: str) -> None:
    world.layout.session(sid).rename(world.layout.closed_session(sid))


def reopen(world: World, sid: str) -> None:
    shutil.copytree(world.layout.session(sid), world.layout.closed_session(sid))


def closed_with_ready(world: World, sid: str) -> None:
    world.plant_ready(unit(sid))
    close(world, sid)


def say(world: World, sid: str, name: str, data: bytes = b"") -> None:
    touch(world.layout.session(sid) / name, data)


def retry(world: World, sid: str, key: tuple[int, int] = (1, 1)) -> None:
    say(world, sid, "retry.01.x0p2qa", retries.encode({key: [(1, 2)]}, "wwchen", 0.0))


def delete(world: World, sid: str) -> None:
    """As spoold leaves a session that was deleted: its tombstone stands, its folder is gone."""
    world.layout.tombstone(sid).touch()
    world.layout.session(sid).rename(world.layout.tmp / sid)


def plant_calls(world: World) -> None:
    """A session of calls in the middle of its work."""
    sid = world.admit(xml=CALLS)
    folder = world.layout.calls(sid)
    for name in (naming.payload_name(1, 4), "0" * 64, naming.alive_name(7), naming.alive_name(8)):
        touch(folder / name, b"torn")
    world.plant_ready(unit(sid, 1, 3))
    world.plant_reply(unit(sid, 3, 4), STRANGER)


def foreign_bundle(world: World, sid: str) -> None:
    bundle(world, sid, sealed.bind([world.reply(unit(OTHER), STRANGER)]))


CHAIN = """<session user='w'><group><task cmd='tester/noop'/><joblist order='sequential' priority='4' cnt='4'><input/></joblist></group>
<group after='1'><task cmd='tester/noop'/><joblist priority='4'><input/></joblist></group></session>"""


def chained(world: World, sid: str) -> str:
    """Put another session in the place of the one that is there, under its id: its group 2 waits, its job list goes step by step."""
    shutil.rmtree(world.layout.session(sid))
    (world.layout.inbox / naming.submitted_name(sid, "chain.xml")).write_text(CHAIN)
    world.let(world.spoold(), turns=3)
    assert world.layout.session(sid).is_dir()
    for path in world.layout.ready.glob("*/*"):
        path.unlink()
    return sid


def start(world: World, sid: str, which: Start, data: bytes | None = None) -> None:
    say(world, sid, which.name, starts.encode(Given(), STRANGER, 0.0) if data is None else data)


# What is planted, and the sentence that must be said of it, alone.
ILLEGAL: dict[str, tuple[Callable[[World, str], object], str]] = {
    "a stranger in sessions": (
        lambda w, sid: (w.layout.sessions / "x").mkdir(),
        "sessions/x: no such name is known there",
    ),
    "a stranger in closed": (lambda w, sid: (w.layout.closed / "x").mkdir(), "sessions/closed/x: no such name"),
    "a stranger in ready": (lambda w, sid: (w.layout.ready / "x").mkdir(), "ready/x: no such name"),
    "a stranger in claimed": (lambda w, sid: (w.layout.claimed / "x").mkdir(), "claimed/x: no such name"),
    "a stranger in replies": (lambda w, sid: touch(w.layout.replies / "x"), "replies/x: no such name"),
    "a stranger in reduced": (lambda w, sid: (w.layout.reduced / "x").mkdir(), "reduced/x: no such name"),
    "a stranger in nodes": (lambda w, sid: touch(w.layout.nodes / "x"), "nodes/x: no such name"),
    "a stranger in notices": (lambda w, sid: touch(w.layout.notices / "x.done"), "notices/x.done: no such name"),
    "a stranger in pilots": (lambda w, sid: touch(w.layout.pilots / "x"), "pilots/x: no such name"),
    "a stranger in locks": (lambda w, sid: touch(w.layout.locks / "x"), "locks/x: no such name"),
    "what is no snapshot": (
        lambda w, sid: touch(w.layout.snapshots / "snapshot.sqlite"),
        "archive/snapshot.sqlite: is not the name of a copy of the archive; nobody will ever look at it",
    ),
    "no folder": (lambda w, sid: w.layout.replies.rmdir(), "replies/ is missing: a spool has this folder"),
    "no session.json": (
        lambda w, sid: (w.layout.session(sid) / "session.json").unlink(),
        "sessions/SID: expected session.xml and session.json, one of them is missing",
    ),
    "no session.xml": (
        lambda w, sid: (w.layout.session(sid) / "session.xml").unlink(),
        "sessions/SID: expected session.xml and session.json, one of them is missing",
    ),
    "a broken session.json": (
        lambda w, sid: touch(w.layout.session(sid) / "session.json", b"{}"),
        "sessions/SID/session.json: not a session.json: ",
    ),
    "another's session.json": (
        lambda w, sid: as_of(w, sid, OTHER),
        f"sessions/SID/session.json: is of session {OTHER}",
    ),
    "open and closed": (reopen, "sessions/SID: is open and closed at once"),
    "a tally of too many jobs": (
        lambda w, sid: tally(w, sid, Tally({(1, 1): [(1, 6)]})),
        f"sessions/SID/tally.{STRANGER}.000000001: counts jobs that its session has not",
    ),
    "a tally of an unknown job list": (
        lambda w, sid: tally(w, sid, Tally({(9, 1): [(1, 2)]})),
        f"sessions/SID/tally.{STRANGER}.000000001: counts jobs that its session has not",
    ),
    "a ready unit of nobody": (
        lambda w, sid: w.plant_ready(unit(OTHER), "100-100"),
        f"ready/100-100/{unit(OTHER).name}: names a session that was never admitted",
    ),
    "a claim of nobody": (
        lambda w, sid: w.plant_claim(unit(OTHER), STRANGER),
        f"claimed/{STRANGER}/{unit(OTHER).name}: names a session that was never admitted",
    ),
    "a ready unit of too many jobs": (
        lambda w, sid: w.plant_ready(unit(sid, 4, 6)),
        "ready/100-096/UNIT: names jobs that its session has not",
    ),
    "a claim of an unknown job list": (
        lambda w, sid: w.plant_claim(unit(sid, joblist=9), STRANGER),
        f"claimed/{STRANGER}/UNIT: names jobs that its session has not",
    ),
    "too high an attempt": (
        lambda w, sid: w.plant_ready(unit(sid, attempt=3)),
        "ready/100-096/UNIT: expected an attempt below 3, got 3",
    ),
    "a round that nobody opened": (
        lambda w, sid: w.plant_ready(replace(unit(sid), round=1)),
        "ready/100-096/UNIT: is of a round that no retry opened",
    ),
    "a control that says nothing": (
        lambda w, sid: say(w, sid, "control.000000001.x0p2qa.priority"),
        "sessions/SID/control.000000001.x0p2qa.priority: is not the name of a control; nobody does what it asks",
    ),
    "a retry of no round": (
        lambda w, sid: say(w, sid, "retry.x"),
        "sessions/SID/retry.x: is not the name of a retry; nobody runs what it names",
    ),
    "a torn retry": (
        lambda w, sid: say(w, sid, "retry.01.x0p2qa", b"torn"),
        "sessions/SID/retry.01.x0p2qa: its last line is not",
    ),
    "a retry of an unknown job list": (
        lambda w, sid: retry(w, sid, (9, 1)),
        "sessions/SID/retry.01.x0p2qa: names job lists that its session has not",
    ),
    "start values of nothing": (
        lambda w, sid: start(w, chained(w, sid), Start(2, 1)),
        "sessions/SID/start.002.001.000000000: is not the name of start values; nobody starts from them",
    ),
    "start values that nobody waits for": (
        lambda w, sid: start(w, chained(w, sid), Start(1)),
        "sessions/SID/start.001.000.000000000: nothing of its session waits for these start values",
    ),
    "start values of a step that there is not": (
        lambda w, sid: start(w, chained(w, sid), Start(1, 1, 5)),
        "sessions/SID/start.001.001.000000005: nothing of its session waits for these start values",
    ),
    "torn start values": (
        lambda w, sid: start(w, chained(w, sid), Start(2), b"torn"),
        "sessions/SID/start.002.000.000000000: its last line is not",
    ),
    "a step before its start values": (
        lambda w, sid: w.plant_ready(unit(chained(w, sid), 3, 4)),
        "ready/100-096/UNIT: waits for its start values, and was offered without",
    ),
    "a group before its start values": (
        lambda w, sid: w.plant_ready(replace(unit(chained(w, sid)), group=2)),
        "ready/100-096/UNIT: waits for its start values, and was offered without",
    ),
    "two steps at once": (
        lambda w, sid: w.plant_ready(unit(chained(w, sid), 1, 3)),
        "ready/100-096/UNIT: names jobs that its session has not",
    ),
    "closed beside a tombstone": (
        lambda w, sid: [w.layout.tombstone(sid).touch(), close(w, sid)],
        "sessions/closed/SID: was deleted, and stands beside its tombstone; nobody looks for it there",
    ),
    "a stranger in files": (lambda w, sid: (w.layout.folder("files") / "x").mkdir(), "files/x: no such name"),
    "kept files of nobody": (
        lambda w, sid: w.layout.kept(OTHER).mkdir(),
        f"files/{OTHER}: holds what jobs of a session kept that was never admitted",
    ),
    "a stranger among kept files": (
        lambda w, sid: touch(w.layout.kept(sid) / "film.dat"),
        "files/SID/film.dat: is not the SHA-256 of a file",
    ),
    "a stranger in calls": (lambda w, sid: (w.layout.folder("calls") / "x").mkdir(), "calls/x: no such name"),
    "calls of a session that makes none": (
        lambda w, sid: w.layout.calls(sid).mkdir(),
        "calls/SID: is of a session that makes no calls",
    ),
    "a stranger among calls": (
        lambda w, sid: touch(w.layout.calls(OTHER) / "film.dat"),
        f"calls/{OTHER}/film.dat: is neither a payload, nor a function, nor a sign of life",
    ),
    "a wrong rank": (lambda w, sid: w.plant_ready(unit(sid), "100-100"), "ready/100-100/UNIT: expected rank 100-096"),
    "a ready unit of a closed session": (closed_with_ready, "ready/100-096/UNIT: its session is closed, nobody needs"),
    "a stranger among ready units": (
        lambda w, sid: touch(w.layout.ready / "100-096" / "x"),
        "ready/100-096/x: is not the name of a unit",
    ),
    "a stranger among claims": (
        lambda w, sid: touch(w.layout.claims(STRANGER) / "x"),
        f"claimed/{STRANGER}/x: is not the name of a unit",
    ),
    "a stranger among expired claims": (
        lambda w, sid: touch(w.layout.expired(STRANGER) / "x"),
        f"claimed/{STRANGER}.expired/x: is not the name of a unit",
    ),
    "a fenced node that came back": (
        lambda w, sid: [w.layout.claims(STRANGER).mkdir(), w.layout.expired(STRANGER).mkdir()],
        f"claimed/{STRANGER}: stands beside its .expired: a fenced node comes back under a new name only",
    ),
    "a torn reply": (
        lambda w, sid: torn(w.plant_reply(unit(sid), STRANGER)),
        f"replies/UNIT@{STRANGER}: its last line is not",
    ),
    "a reply to nobody": (
        lambda w, sid: w.plant_reply(unit(OTHER), STRANGER),
        f"replies/{unit(OTHER).name}@{STRANGER}: answers jobs that no session has",
    ),
    "a reply of too many jobs": (
        lambda w, sid: w.plant_reply(unit(sid, 4, 6), STRANGER),
        f"replies/UNIT@{STRANGER}: answers jobs that no session has",
    ),
    "a stranger among bundles": (
        lambda w, sid: touch(w.layout.bundles(sid) / "x"),
        "reduced/SID/x: is not the name of a bundle",
    ),
    "a torn bundle": (
        lambda w, sid: torn(w.plant_bundle(unit(sid), STRANGER)),
        f"reduced/SID/{BUNDLE}: its last line is not",
    ),
    "a bundle that is none": (
        lambda w, sid: bundle(w, sid, sealed.seal(b"none\n")),
        f"reduced/SID/{BUNDLE}: expected a part as NAME LENGTH at byte 0",
    ),
    "another's reply in a bundle": (
        foreign_bundle,
        f"reduced/SID/{BUNDLE}: holds {unit(OTHER).name}@{STRANGER}, which is not a reply of this session",
    ),
    "a stranger in a bundle": (
        lambda w, sid: bundle(w, sid, sealed.bind([("x", b"")])),
        f"reduced/SID/{BUNDLE}: holds x, which is not a reply of this session",
    ),
    "a torn reply in a bundle": (
        lambda w, sid: bundle(w, sid, sealed.bind([(naming.reply_name(unit(sid), STRANGER), b"torn")])),
        f"reduced/SID/{BUNDLE}: UNIT@{STRANGER}: its last line is not",
    ),
    "rejected without a reason": (
        lambda w, sid: touch(w.layout.rejected / "x.xml"),
        "rejected/x.xml: was put aside without a reason beside it",
    ),
    "quarantined without a reason": (
        lambda w, sid: touch(w.layout.quarantine / "x"),
        "quarantine/x: was put aside without a reason beside it",
    ),
}


@pytest.mark.parametrize("what", ILLEGAL)
def test_each_illegal_state_is_one_sentence(world: World, what: str) -> None:
    sid = world.admit(many=4, few=1)
    plant, expected = ILLEGAL[what]
    assert check(world.root) == []
    plant(world, sid)
    [sentence] = check(world.root)
    plain = re.sub(rf"(?<![/\w]){sid}\.[\d.-]+|(?<=/){sid}\.[\d.-]+", "UNIT", sentence).replace(sid, "SID")
    assert plain.startswith(expected)


def test_every_sentence_of_check_is_planted() -> None:
    """A sentence that no test ever hears may be wrong: each `yield f"…"` in check.py is said above."""
    source = (Path(__file__).parent.parent / "park_spool" / "check.py").read_text()
    said = re.findall(r'f"(?:\{[^"]*?\}|[a-z/]+)[^"]*?: ([a-z][^"{]{8,})', source)
    assert len(said) > 10
    heard = [sentence for _, sentence in ILLEGAL.values()]
    unheard = [words for words in said if not any(words[:20].strip() in sentence for sentence in heard)]
    assert unheard == []


# Leftovers that PROTOCOL.md names, each with who clears it.
LEGAL: dict[str, Callable[[World, str], object]] = {
    "an empty .SID": lambda w, sid: w.layout.admitting(OTHER).mkdir(),
    "a full .SID": lambda w, sid: touch(w.layout.admitting(OTHER) / "session.xml", b"x"),
    "a reason alone": lambda w, sid: touch(w.layout.rejected / "x.xml.why"),
    "an empty folder of a dead node": lambda w, sid: w.layout.claims(STRANGER).mkdir(),
    "an expired folder": lambda w, sid: w.layout.expired(STRANGER).mkdir(),
    "an expired claim": lambda w, sid: touch(w.layout.expired(STRANGER) / unit(sid).name),
    "a heartbeat of a dead node": lambda w, sid: touch(w.layout.nodes / naming.heartbeat_name(STRANGER, 7), b"torn"),
    "an older heartbeat": lambda w, sid: [
        touch(w.layout.nodes / naming.heartbeat_name(STRANGER, seq)) for seq in (6, 7)
    ],
    "a lock of a lower epoch": lambda w, sid: touch(w.layout.locks / naming.Lock("spoold", 1, STRANGER, 3).name),
    "a lock of a master that is gone": lambda w, sid: touch(
        w.layout.locks / naming.Lock("master", 1, STRANGER, 3).name
    ),
    "an alias that was sent home": lambda w, sid: touch(w.layout.notices / wishes.away_name("n4")),
    "a record of a batch job that is over": lambda w, sid: touch(w.layout.pilots / "slurm.4711.x0p2qa"),
    "a tally of an earlier reducer": lambda w, sid: tally(w, sid, Tally({(1, 1): [(1, 3)]})),
    "a torn tally": lambda w, sid: touch(w.layout.session(sid) / naming.tally_name(STRANGER, 2), b"torn"),
    "a snapshot of a reducer that is gone": lambda w, sid: touch(
        w.layout.snapshots / naming.snapshot_name(STRANGER, 7)
    ),
    "a temporary file": lambda w, sid: touch(w.layout.tmp / f"{STRANGER}.3", b"half"),
    "a temporary folder": lambda w, sid: (w.layout.tmp / f"{STRANGER}.0").mkdir(),
    "a reply that waits": lambda w, sid: w.plant_reply(unit(sid), STRANGER),
    "a reply bundled and not unlinked": lambda w, sid: [
        w.plant_reply(unit(sid), STRANGER),
        w.plant_bundle(unit(sid), STRANGER),
    ],
    "a bundle that nobody counted": lambda w, sid: w.plant_bundle(unit(sid, 2, 3), STRANGER, seq=2),
    "an empty rank": lambda w, sid: (w.layout.ready / "100-000").mkdir(),
    "a rank with a tag": lambda w, sid: (w.layout.ready / "100-000+gpu").mkdir(),
    "a unit under an earlier rank": lambda w, sid: [
        say(w, sid, "control.000000001.x0p2qa.priority.7"),
        w.plant_ready(unit(sid), "100-096"),
    ],
    "a unit of a paused session": lambda w, sid: [
        say(w, sid, "control.000000001.x0p2qa.pause"),
        w.plant_ready(unit(sid, 2, 3)),
        say(w, sid, "control.000000002.x0p2qa.resume"),
    ],
    "a unit of a retry": lambda w, sid: [retry(w, sid), w.plant_ready(replace(unit(sid), round=1))],
    "start values of a step that is final": lambda w, sid: [
        start(w, chained(w, sid), Start(1, 1, 2)),
        tally(w, sid, Tally({(1, 1): [(1, 3)]})),
    ],
    "a step that was answered elsewhere, without its start values": lambda w, sid: [
        w.plant_ready(unit(chained(w, sid), 3, 4)),
        w.plant_reply(unit(sid, 3, 4), STRANGER),
    ],
    "a step that is final, without its start values": lambda w, sid: [
        w.plant_ready(unit(chained(w, sid), 2, 3)),
        tally(w, sid, Tally({(1, 1): [(1, 3)]})),
    ],
    "a notice to a dead node": lambda w, sid: [
        touch(w.layout.notices / f"{STRANGER}.{verb}") for verb in ("drain", "bad")
    ],
    "a kept file": lambda w, sid: touch(w.layout.kept(sid) / ("0" * 64)),
    "calls without a session": lambda w, sid: touch(w.layout.calls(OTHER) / naming.payload_name(1, 4)),
    "calls whose asker is gone": lambda w, sid: plant_calls(w),
    "a tombstone of calls": lambda w, sid: w.layout.tombstone(OTHER).write_text('{"calls": true}'),
    "units and replies of deleted calls": lambda w, sid: [
        w.layout.tombstone(OTHER).write_text('{"calls": true}'),
        w.plant_ready(unit(OTHER), "100-100"),
        w.plant_reply(unit(OTHER), STRANGER),
    ],
    "a unit of a cancelled session, not closed yet": lambda w, sid: [
        say(w, sid, "control.000000001.x0p2qa.cancel"),
        w.plant_ready(unit(sid)),
    ],
    "a session beside its tombstone, not closed": lambda w, sid: w.layout.tombstone(sid).touch(),
    "what is left of a deleted session, not closed": lambda w, sid: [
        w.plant_ready(unit(sid)),
        w.plant_claim(unit(sid, 2, 3), STRANGER),
        w.plant_reply(unit(sid, 3, 4), STRANGER),
        touch(w.layout.kept(sid) / ("0" * 64)),
        delete(w, sid),
    ],
    "a bundle of a deleted session, not closed": lambda w, sid: [w.plant_bundle(unit(sid), STRANGER), delete(w, sid)],
    "dot-names everywhere": lambda w, sid: [touch(w.layout.folder(name) / ".nfs0001") for name in FOLDERS],
    "anything in the inbox": lambda w, sid: touch(w.layout.inbox / "notes.txt"),
    "a log": lambda w, sid: touch(w.layout.logs / "noded-n4.log"),
    "a claim of a closed session": lambda w, sid: [w.plant_claim(unit(sid), STRANGER), close(w, sid)],
    "a reply to a closed session": lambda w, sid: [w.plant_reply(unit(sid), STRANGER), close(w, sid)],
    "a session half closed": lambda w, sid: close(w, sid),
}


@pytest.mark.parametrize("what", LEGAL)
def test_legal_leftovers_are_not_reported(world: World, what: str) -> None:
    sid = world.admit(many=4, few=1)
    LEGAL[what](world, sid)
    assert check(world.root) == []


def test_all_leftovers_together_end_by_themselves(world: World) -> None:
    """Whoever PROTOCOL.md names clears them, and the session is run as if they had not been there."""
    sid = world.admit(many=4, few=1)
    others = {"a full .SID", "anything in the inbox", "an empty folder of a dead node", "dot-names everywhere"}
    others |= {"an expired folder"}  # an expired claim makes it
    others |= {"a tally of an earlier reducer"}  # it says that jobs are final, which no bundle holds here
    others |= {what for what in LEGAL if "a step that" in what}  # of another session
    for what in sorted({what for what in LEGAL if "closed" not in what} - others):
        LEGAL[what](world, sid)
    actors = Actors({"spoold": world.spoold, "node": world.node, "reduced": world.reducer})
    run_until_closed(world, actors)
    for _ in range(100):
        actors.step()
        world.clock.now += 60.0
    assert check(world.root) == []
    cleared = [world.layout.folder(name) for name in ("claimed", "nodes", "locks", "tmp", "ready", "replies")]
    assert [path for folder in cleared for path in folder.rglob(f"*{STRANGER}*")] == []
    assert not any(world.layout.sessions.glob(".*"))
    assert not any(world.layout.folder("calls").iterdir())
    assert list(world.counted().values()) == ["ok"] * 5
    assert [path.name for path in world.layout.closed.iterdir()] == [sid]


def test_a_spool_in_use_is_looked_at_twice(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid), "100-100")
    assert check_twice(world.root) == check(world.root) != []
    assert check_twice(world.root.parent / "nowhere") == [
        f"{name}/ is missing: a spool has this folder" for name in FOLDERS
    ]


def test_checking_changes_nothing(world: World) -> None:
    sid = world.admit()
    world.plant_ready(unit(sid), "100-100")
    before = sorted((path, path.stat().st_mtime_ns) for path in world.root.rglob("*"))
    check(world.root)
    assert sorted((path, path.stat().st_mtime_ns) for path in world.root.rglob("*")) == before
