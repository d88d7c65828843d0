"""`park archive`: compact, copied, exported, made again, while it is used and not; complete or not at all."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import archive_story
import pytest
from archive_examples import ask, dump, ok, put, session
from archive_story import OTHER, SID
from console import park
from test_takeover import reduce_all, tables
from world import Killed, World, dying_disk

from park_spool import naming
from park_spool.archive import compacting, described, exporting, holding
from park_spool.archive.checking import check
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.sqlite import snapshot
from park_spool.archive.writing import Archive
from park_spool.cli.options import FAILED, FINE, TRY_LATER
from park_spool.errors import NotFound, PermanentError, SpoolError, TemporaryError
from park_spool.reducing import rebuilding


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    archive_story.archive(world.config.archive)
    return world


# check


def test_check_says_each_fault_and_fails(world: World) -> None:
    assert (park("archive", "check", spool=world.root).exit_code, check(world.config.archive)) == (FINE, [])
    with closing(sqlite3.connect(world.config.archive)) as connection, connection:
        connection.execute("DELETE FROM history")
    result = park("archive", "check", spool=world.root)
    assert result.exit_code == FAILED
    assert result.stdout.splitlines() == check(world.config.archive)
    assert json.loads(park("archive", "check", "--json", spool=world.root).stdout) == check(world.config.archive)


# compact


def fill(path: Path, jobs: int = 3000) -> None:
    with Archive.open(path) as archive:
        archive.add_session("20261125-000000-full", session(jobs), b"", 1.0)
        put(archive, [ok(job, sid="20261125-000000-full", output="x" * 1000) for job in range(1, jobs)])
        archive.delete_session("20261125-000000-full", {"user": "", "file": "", "received": 1.0, "at": 2.0})


def test_compact_gives_the_room_back_and_loses_nothing(world: World) -> None:
    path = world.config.archive
    fill(path)
    before, size = dump(path, leave_out=()), compacting.size(path)
    result = park("archive", "compact", spool=world.root)
    assert result.exit_code == FINE and "MB before, " in result.stdout
    assert compacting.size(path) < size / 5
    assert dump(path, leave_out=()) == before
    assert check(path) == []


def test_compact_while_somebody_reads_and_the_reducer_goes_on(world: World) -> None:
    path = world.config.archive
    fill(path)
    with Archive.open(path) as archive:
        with snapshot(path) as looking:
            looking.execute("SELECT count(*) FROM jobs").fetchone()
            assert compacting.compact(path, patience=0.05).is_log_left
            put(archive, [ok(35, 1.0, group=2)])
        assert not compacting.compact(path, patience=0.05).is_log_left
        put(archive, [ok(36, 0.5, group=2)])
    assert check(path) == []


def test_compact_waits_for_a_batch_and_then_says_that_it_cannot(world: World) -> None:
    with Archive.open(world.config.archive) as archive, archive.transaction():
        archive.put_text(SID, 1, {}, "half")
        with pytest.raises(TemporaryError, match="database is locked; nothing was changed, try again later"):
            compacting.compact(world.config.archive, patience=0.05)
    with pytest.raises(NotFound, match="no archive at"):
        compacting.compact(world.config.archive.with_name("none.sqlite"))
    world.config.archive.with_name("notes.sqlite").write_text("notes" * 1000)
    with pytest.raises(SpoolError, match="it was left as it is"):
        compacting.compact(world.config.archive.with_name("notes.sqlite"))


# snapshot


def test_a_snapshot_for_a_user_overwrites_nothing(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine" / "park.sqlite"
    file.parent.mkdir()
    result = park("archive", "snapshot", file, spool=world.root)
    assert (result.exit_code, result.stdout) == (FINE, f"{file}\n")
    assert dump(file) == dump(world.config.archive) and os.listdir(file.parent) == ["park.sqlite"]
    result = park("archive", "snapshot", file, spool=world.root)
    assert result.exit_code == FAILED and "is there already; nothing was copied" in result.stderr
    assert park("archive", "snapshot", tmp_path / "nowhere" / "a.sqlite", spool=world.root).exit_code == TRY_LATER


def test_a_snapshot_without_a_file_stands_on_the_spool(world: World) -> None:
    path = Path(park("archive", "snapshot", spool=world.root).stdout.strip())
    assert path.parent == world.layout.snapshots and naming.parse_snapshot(path.name)
    assert ArchiveReader(path, is_copy=True).session(OTHER).state == "done"


# export


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_and_view_is_exported_with_every_row(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    result = park("archive", "export", folder, spool=world.root)
    assert result.exit_code == FINE, result.stderr
    names = {
        name for (name,) in ask(world.config.archive, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    }
    assert {path.stem for path in folder.glob("*.csv")} == {name for name in names if not name.startswith("sqlite_")}
    for path in folder.glob("*.csv"):
        assert len(rows(path)) == ask(world.config.archive, f"SELECT count(*) FROM {path.stem}")[0][0], path.stem
    thickness = [row for row in rows(folder / "parameters.csv") if row["unit"] == "Å"]
    assert (
        float(thickness[0]["value"]) == ask(world.config.archive, "SELECT value FROM parameters WHERE unit = 'Å'")[0][0]
    )
    assert json.loads(rows(folder / "results.csv")[0]["output"])["npoints"] == 3
    with closing(sqlite3.connect(tmp_path / "again.sqlite")) as connection:
        connection.executescript((folder / "schema.sql").read_text())
    assert ask(tmp_path / "again.sqlite", "SELECT count(*) FROM batch") == [(0,)]
    readme = (folder / "README.txt").read_text()
    assert all(f"{name}.csv: {table.title}" in readme for name, table in described.tables().items())
    assert sorted(os.listdir(tmp_path)) == ["again.sqlite", "spool", "tables"]


def test_an_export_is_complete_or_not_there(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, reader = tmp_path / "tables", ArchiveReader(world.config.archive)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(exporting, "_texts", full)
        exporting.export(reader, folder)
    assert not folder.exists() and [name for name in os.listdir(tmp_path) if "partial" in name] == []
    (tmp_path / ".tables.partial").mkdir()  # of one that was killed
    exporting.export(reader, folder)
    assert sorted(os.listdir(tmp_path)) == ["spool", "tables"]
    with pytest.raises(PermanentError, match="is there already; nothing was written"):
        exporting.export(reader, folder)


# rebuild


def reduced(root: Path) -> World:
    """A world in which a session was reduced, and another is half done."""
    world = World(root)
    world.submit(many=3, few=1)
    spoold, node, reducer = world.spoold(), world.node(), world.reducer()
    world.let(spoold, node, reducer, turns=40)
    assert world.is_closed
    world.admit(many=2, few=1)
    world.let(spoold, node, reducer, turns=4)
    reducer.leave()
    return world


def test_the_archive_is_made_again_and_the_old_one_kept(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    before = tables(world)
    with Archive.open(world.config.archive) as archive:
        archive._connection.execute("DELETE FROM results")
    for number in (1, 2):
        result = park("archive", "rebuild", spool=world.root)
        assert result.exit_code == FINE, result.stderr
        assert f"the old one is {world.config.archive}.old-{number}" in result.stdout
        assert tables(world) == before
    assert ask(Path(f"{world.config.archive}.old-1"), "SELECT count(*) FROM results") == [(0,)]
    beside = (".lock", "-shm", "-wal")  # those of the readers above
    kept = sorted(name for name in os.listdir(world.config.archive.parent) if not name.endswith(beside))
    assert kept == ["park.sqlite", "park.sqlite.old-1", "park.sqlite.old-2"]
    reduce_all(world, world.reducer(), turns=3)
    assert check(world.config.archive) == []


def test_a_lost_archive_is_made_again_and_a_copy_beside_a_running_reducer(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    before = tables(world)
    copy = tmp_path / "again.sqlite"
    with holding.held(world.config.archive):
        result = park("archive", "rebuild", spool=world.root)
        assert (
            result.exit_code == TRY_LATER and "park.lock is held); nothing was changed. Stop it first" in result.stderr
        )
        assert park("archive", "rebuild", "--to", copy, spool=world.root).exit_code == FINE
    assert tables(world, copy) == before
    result = park("archive", "rebuild", "--to", copy, spool=world.root)
    assert result.exit_code == FAILED and "is there already; nothing was made" in result.stderr
    for path in world.config.archive.parent.iterdir():
        path.unlink()
    result = park("archive", "rebuild", spool=world.root)
    assert result.stdout == f"{world.config.archive} was made again from the spool\n"
    assert tables(world) == before


def test_a_rebuild_killed_anywhere_leaves_an_archive_or_none_and_the_next_one_works(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    before = tables(world)
    archive = world.config.archive

    def die(number: int) -> int:
        left = [number]
        disk: Callable[..., object] = dying_disk(left)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rebuilding, "Disk", disk)
            rebuilding.rebuild(world.member(), archive)
        return number - left[0]

    for number in range(die(10**9)):
        with pytest.raises(Killed):
            die(number)
        if archive.exists():
            assert tables(world) == before
        rebuilding.rebuild(world.member(), archive)
        assert tables(world) == before
        assert [name for name in os.listdir(archive.parent) if ".new" in name] == []


def test_a_log_stays_with_the_file_that_it_belongs_to(tmp_path: Path) -> None:
    """A reducer that was killed leaves its last batches in the log; beside another file that would be poison."""
    world = reduced(tmp_path)
    before = tables(world)
    path = world.config.archive
    with Archive.open(path) as archive:
        archive.put_text("x", 1, {}, "in the log")
        log = path.with_name("park.sqlite-wal").read_bytes()
        data = path.read_bytes()
    path.write_bytes(data)
    path.with_name("park.sqlite-wal").write_bytes(log)
    old = rebuilding.rebuild(world.member(), path)
    assert old is not None
    assert not path.with_name("park.sqlite-wal").exists()
    assert ask(old, "SELECT text FROM texts WHERE sid = 'x'") == [("in the log",)]
    assert tables(world) == before


def test_a_faulty_archive_takes_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = reduced(tmp_path)
    before = tables(world)
    monkeypatch.setattr(rebuilding.checking, "check", lambda path, is_copy: ["history is wrong"])
    with pytest.raises(SpoolError, match=r"left as .*park\.sqlite\.new; .* was not touched: history is wrong"):
        rebuilding.rebuild(world.member(), world.config.archive)
    monkeypatch.undo()
    assert tables(world) == before


def test_how_far_a_rebuild_is_can_be_told(tmp_path: Path) -> None:
    world = reduced(tmp_path)
    seen: list[tuple[int, int]] = []
    rebuilding.rebuild(world.member(), tmp_path / "again.sqlite", lambda done, of: seen.append((done, of)))
    assert seen and seen == [(number, len(seen)) for number in range(1, len(seen) + 1)]
