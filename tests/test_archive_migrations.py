"""Archives of every earlier schema: brought to date they hold what an archive of today holds that was told the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import archive_story
import pytest
from archive_examples import TIMED_TABLES, ask, dump
from archive_story import OTHER, SID

from park_spool.archive.checking import check
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive, Result
from park_spool.errors import NotFound

DUMPS = sorted((Path(__file__).parent / "archives").glob("*.sql"))
EARLIER = pytest.mark.parametrize("earlier", DUMPS, ids=lambda path: path.stem)
SCHEMA = "SELECT name, sql FROM sqlite_master ORDER BY name"


def load(earlier: Path, path: Path) -> Path:
    """Make the archive that an earlier version left."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(earlier.read_text(encoding="utf-8"))
        connection.commit()
    return path


@pytest.fixture
def told(tmp_path: Path, earlier: Path) -> Path:
    path = tmp_path / "told.sqlite"
    with Archive.open(path) as archive:
        archive_story.tell(archive, Result, 3, upto=int(earlier.stem))
    return path


def test_there_is_one_of_each() -> None:
    assert [path.stem for path in DUMPS] == ["0001", "0002"]


@EARLIER
def test_it_holds_rows_of_every_table(earlier: Path, tmp_path: Path) -> None:
    rows = dump(load(earlier, tmp_path / "old.sqlite"), leave_out=())
    assert [table for table, found in rows.items() if not found] == []


@EARLIER
def test_it_is_brought_to_date_without_losing_anything(earlier: Path, tmp_path: Path, told: Path) -> None:
    path = load(earlier, tmp_path / "old.sqlite")
    before = dump(path, leave_out=())
    with Archive.open(path) as archive:
        assert archive.identity == before["meta"][0][1]
    assert dump(path) == dump(told)
    assert [dump(path, leave_out=())[name] for name in ("replies", "bundles")] == [before["replies"], before["bundles"]]
    assert ask(path, SCHEMA) == ask(told, SCHEMA)
    assert check(path) == []


@EARLIER
def test_what_is_new_is_filled_in(earlier: Path, tmp_path: Path) -> None:
    path = load(earlier, tmp_path / "old.sqlite")
    Archive.open(path).close()
    assert ask(path, "SELECT group_number, number, text FROM messages WHERE sid = ? ORDER BY at", SID) == [
        (1, 1, "message 0"),
        (2, 1, "message 1"),
        (1, 2, "message 3"),
        (2, 2, "message 4"),
        (2, 3, "message 5"),
    ]
    of_first = "FROM parameters WHERE sid = ? AND group_number = 1 AND joblist_number = 1 AND job_number = 1"
    assert ask(path, f"SELECT name, round(value, 4), error, unit, min, max, start {of_first}", SID) == [
        ("film thickness", 258.86, 0.1, "Å", 50.0, 500.0, 99.5),
        ("film sld", 2.426, None, "1e-6/Å^2", 0.0, None, None),
    ]
    of_third = "SELECT place, name, value, unit FROM parameters WHERE sid = ? AND group_number = 1 AND job_number = 3"
    assert ask(path, of_third, SID)[2:] == [(5, "3", None, "5")]
    assert ask(path, "SELECT dataset, count(*) FROM jobs WHERE dataset IS NOT NULL GROUP BY 1") == [
        ("f1.dat", 2),
        ("f2.dat", 2 if earlier.stem == "0001" else 1),
        ("left", 1),
        ("right", 1),
        ("said", 1),
    ]
    assert ask(path, "SELECT name, href FROM data_sets WHERE sid = ?", SID) == [
        ("frame", "frames/f1.dat"),
        ("frame", "frames/f2.dat"),
        ("film", "film.txt"),
    ]
    assert ask(path, "SELECT sid, key, who FROM events") == [(SID, "admitted", "wei"), (OTHER, "admitted", "wei")]


@EARLIER
def test_it_is_brought_to_date_whole_or_not_at_all(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from park_spool.archive import migrating

    path = load(earlier, tmp_path / "old.sqlite")
    before, schema = dump(path, leave_out=("_sqlite_migrations",)), ask(path, SCHEMA)
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "_fill_from_outputs", lambda connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Archive.open(path)
    assert dump(path, leave_out=("_sqlite_migrations",)) == before
    assert ask(path, SCHEMA) == schema
    Archive.open(path).close()
    assert ask(path, "PRAGMA foreign_key_check") == []


@EARLIER
def test_a_session_that_cannot_be_read_keeps_its_rows(earlier: Path, tmp_path: Path) -> None:
    path = load(earlier, tmp_path / "old.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET session = '{' WHERE sid = ?", (SID,))
        connection.execute("UPDATE sessions SET session = '{\"groups\": []}' WHERE sid = ?", (OTHER,))
    jobs = ask(path, "SELECT count(*) FROM jobs")
    Archive.open(path).close()
    assert ask(path, "SELECT count(*) FROM jobs") == jobs
    assert ask(path, "SELECT dataset FROM jobs WHERE dataset IS NOT NULL") == [("said",)]


@EARLIER
def test_a_reader_is_told_that_it_is_of_an_earlier_version(earlier: Path, tmp_path: Path) -> None:
    path = load(earlier, tmp_path / "old.sqlite")
    for is_copy in (False, True):
        with pytest.raises(NotFound, match="is of an earlier version; park-reduced brings it to date when it starts"):
            ArchiveReader(path, is_copy=is_copy).sessions()
    Archive.open(path).close()
    assert ArchiveReader(path).session(SID).user == "wei"


def test_nobody_sees_an_archive_that_is_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from park_spool.archive import migrating

    path, seen, run = tmp_path / "park.sqlite", [], migrating.run

    def run_and_look(connection: sqlite3.Connection, statements: str) -> None:
        run(connection, statements)
        with pytest.raises(NotFound) as error:
            ArchiveReader(path).sessions()
        seen.append(str(error.value))

    monkeypatch.setattr(migrating, "run", run_and_look)
    Archive.open(path).close()
    assert seen == [f"the archive {path} is still being made; look again in a moment"] * 2
    assert ArchiveReader(path).sessions() == []


def test_the_tables_that_are_left_out_are_there() -> None:
    """What `dump` leaves out by default is compared by itself above."""
    assert set(TIMED_TABLES) == {"replies", "bundles", "meta", "_sqlite_migrations"}
