"""A session goes from one spool to another in one file: every result, none of its jobs run again, nothing else let in."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from console import park
from world import STRANGER, Killed, World, dying_disk, state

from park_spool import control_requests, transfer
from park_spool.check import check
from park_spool.errors import NotFound, PermanentError, SessionError
from park_spool.naming import Unit

TABLES = (
    "sessions",
    "groups",
    "joblists",
    "jobs",
    "results",
    "parameters",
    "history",
    "attempts",
    "texts",
    "messages",
    "events",
)
FIT = '{"chisq": 966.19, "dof": 399, "parameters": [{"name": "film", "value": 258.86}]}'


def closed(root: Path) -> tuple[World, str]:
    """A session that is over, with a failure among its jobs, data of its own, and a kept file."""
    world = World(root, seed=4)
    sid = world.admit(many=3, few=1)
    for joblist, job, status in [(1, 1, "ok"), (1, 2, "failed"), (1, 3, "ok"), (2, 1, "ok")]:
        world.plant_reply(
            Unit(sid, 1, joblist, job, job + 1, 0, 2), STRANGER, status, output=FIT if status == "ok" else ""
        )
    files = world.layout.session(sid) / "files" / "run7"
    files.mkdir(parents=True)
    (files / "film.ort").write_text("0.1 1 0.1\n")
    settle(world)
    kept = world.layout.kept(sid)
    kept.mkdir()
    (kept / "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e").write_text("Hello World")
    assert world.is_closed
    return world, sid


def settle(world: World, turns: int = 40) -> None:
    spoold, node, reducer = world.spoold(), world.node(), world.reducer()
    world.let(spoold, node, reducer, turns=turns, tick=3.0)
    reducer.leave()
    spoold.resign()


def test_it_comes_in_with_every_row_and_nothing_is_run(tmp_path: Path) -> None:
    here, sid = closed(tmp_path / "here")
    file = tmp_path / "film.park"
    assert transfer.export(here.layout, sid, file) == file.stat().st_size
    there = World(tmp_path / "there", seed=5)
    there.script = lambda *job: pytest.fail("a job of it was run")
    assert transfer.import_(there.member(), file) == sid
    settle(there)
    assert there.is_closed and check(there.root) == [], state(there)
    for table in TABLES:
        assert there.rows(table) == here.rows(table), table
    assert (there.layout.closed_session(sid) / "files" / "run7" / "film.ort").read_text() == "0.1 1 0.1\n"
    assert [path.read_text() for path in there.layout.kept(sid).iterdir()] == ["Hello World"]


def test_a_reducer_that_never_saw_it_open_finds_it(tmp_path: Path) -> None:
    here, sid = closed(tmp_path / "here")
    transfer.export(here.layout, sid, tmp_path / "film.park")
    there = World(tmp_path / "there", seed=5)
    reducer = there.reducer()
    reducer.step()
    transfer.import_(there.member(), tmp_path / "film.park")
    there.let(there.spoold(), turns=10)
    assert there.layout.closed_session(sid).is_dir()
    there.let(reducer, turns=40, tick=3.0)
    reducer.leave()
    assert there.rows("jobs") == here.rows("jobs")


def test_one_that_was_cancelled_before_anything_was_done(tmp_path: Path) -> None:
    here = World(tmp_path / "here", seed=4)
    sid = here.admit()
    control_requests.ask(here.member(), sid, "cancel", "wei")
    settle(here)
    transfer.export(here.layout, sid, tmp_path / "film.park")
    there = World(tmp_path / "there", seed=5)
    transfer.import_(there.member(), tmp_path / "film.park")
    settle(there)
    assert there.is_closed and [row[5] for row in there.rows("sessions")] == ["cancelled"]
    assert check(there.root) == []


def test_killed_before_every_change_of_the_import(tmp_path: Path) -> None:
    here, sid = closed(tmp_path / "here")
    file = tmp_path / "film.park"
    transfer.export(here.layout, sid, file)
    left = [10**9]
    transfer.import_(World(tmp_path / "count").member(dying_disk(left)), file)
    for number in range(10**9 - left[0]):
        there = World(tmp_path / str(number), seed=5)
        with pytest.raises(Killed):
            transfer.import_(there.member(dying_disk([number])), file)
        try:
            transfer.import_(there.member(), file)
        except PermanentError as error:
            assert "is on this spool already" in str(error)
        settle(there)
        assert check(there.root) == [], state(there)
        if there.rows("jobs"):
            assert there.rows("jobs") == here.rows("jobs")


# what is refused


def test_only_what_is_closed_is_exported_and_nothing_is_overwritten(tmp_path: Path) -> None:
    world = World(tmp_path)
    sid = world.admit()
    with pytest.raises(NotFound, match="is not closed: wait for its end"):
        transfer.export(world.layout, sid, tmp_path / "film.park")
    here, sid = closed(tmp_path / "here")
    (tmp_path / "film.park").touch()
    with pytest.raises(PermanentError, match="is there already; nothing was overwritten"):
        transfer.export(here.layout, sid, tmp_path / "film.park")
    assert sorted(path.name for path in tmp_path.glob("*film*")) == ["film.park"]


def test_a_session_that_is_here_is_left_as_it_is(tmp_path: Path) -> None:
    here, sid = closed(tmp_path)
    transfer.export(here.layout, sid, tmp_path / "film.park")
    with pytest.raises(PermanentError, match=f"session {sid} is on this spool already"):
        transfer.import_(here.member(), tmp_path / "film.park")
    assert list(here.layout.tmp.iterdir()) == []


def rewritten(source: Path, target: Path, change: Any) -> Path:
    """Copy an exported file with its contents changed: {name: data}."""
    with zipfile.ZipFile(source) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return target


def without_tallies(parts: dict[str, bytes]) -> None:
    for name in [name for name in parts if "tally" in name]:
        del parts[name]


def torn(parts: dict[str, bytes]) -> None:
    name = next(name for name in parts if name.startswith("reduced/"))
    parts[name] = parts[name][:-9]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda parts: parts.update({"../outside": b"x"}), "'../outside' does not belong there"),
        (lambda parts: parts.update({"session/files/../../../x": b"x"}), "does not belong there"),
        (lambda parts: parts.update({"/etc/passwd": b"x"}), "does not belong there"),
        (lambda parts: parts.update({"session/run.sh": b"x"}), "'session/run.sh' does not belong there"),
        (lambda parts: parts.update({"ready/unit": b""}), "does not belong there"),
        (lambda parts: parts.update({f"kept/{'ab' * 32}": b"x"}), "is not what its name says"),
        (lambda parts: parts.pop("session/session.json"), "not an exported session"),
        (lambda parts: parts.update({"session/session.json": b"{}"}), "not an exported session"),
        (without_tallies, "was not over when it was exported"),
        (torn, "holds no results of session"),
    ],
)
def test_what_does_not_belong_is_not_let_in(tmp_path: Path, change: Any, words: str) -> None:
    here, sid = closed(tmp_path / "here")
    transfer.export(here.layout, sid, tmp_path / "film.park")
    odd = rewritten(tmp_path / "film.park", tmp_path / "odd.park", change)
    there = World(tmp_path / "there")
    with pytest.raises(SessionError, match="nothing was imported") as caught:
        transfer.import_(there.member(), odd)
    assert words in str(caught.value)
    assert state(there) == ["park.toml"] and list(there.layout.tmp.iterdir()) == []


def test_what_is_no_zip_is_said(tmp_path: Path) -> None:
    (tmp_path / "film.park").write_text("hello")
    with pytest.raises(SessionError, match=r"film\.park is not an exported session"):
        transfer.import_(World(tmp_path).member(), tmp_path / "film.park")


# the commands


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, sid = closed(tmp_path / "here")
    there = World(tmp_path / "there")
    monkeypatch.chdir(tmp_path)
    done = park("export", sid[:10], spool=here.root)
    assert done.exit_code == 0 and done.stdout.startswith(f"{sid} is in {sid}.park (")
    done = park("import", f"{sid}.park", spool=there.root)
    assert (done.exit_code, done.stdout) == (0, f"{sid}\n")
    again = park("import", f"{sid}.park", spool=there.root)
    assert again.exit_code == 1 and "is on this spool already" in again.stderr
    missing = park("import", "none.park", spool=there.root)
    assert missing.exit_code == 3 and "none.park is not an exported session" in missing.stderr
