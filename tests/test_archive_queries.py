"""What the command line and the page ask beyond the first questions: each answer, and each by an index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import archive_story
import pytest
from archive_examples import RECEIVED, ask, ok, put, session
from archive_story import FRAME1, GONE, NODE, OTHER, SECOND, SID

from park_spool.archive import fit_queries, queries
from park_spool.archive.fit_rows import ParameterRow, RunRow, TextRow
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import EventRow, NodeEventRow, Wanted
from park_spool.archive.writing import Archive


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = archive_story.archive(tmp_path_factory.mktemp("archive") / "park.sqlite")
    with Archive.open(path) as archive:
        archive.add_session("20261125-000000-many", session(5, name="Sulphur", user="ana"), b"", RECEIVED + 100)
    return path


@pytest.fixture(scope="module")
def reader(path: Path) -> ArchiveReader:
    return ArchiveReader.open(path)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ["20261125-000000-many", OTHER, SID, GONE]),
        (Wanted(user="wei"), [OTHER, SID, GONE]),
        (Wanted(user="we"), []),
        (Wanted(state="done"), [OTHER]),
        (Wanted(user="wei", state="running"), [SID]),
        (Wanted(text="K3J9"), [SID]),
        (Wanted(text="FRAMES"), [SID]),
        (Wanted(text="reflectivity/f"), ["20261125-000000-many", OTHER, SID]),
        (Wanted(text="sulphur"), ["20261125-000000-many"]),
        (Wanted(text="film.x"), [OTHER, SID]),
        (Wanted(text="%"), []),
    ],
)
def test_sessions_by_user_state_and_text(reader: ArchiveReader, wanted: Wanted, expected: list[str]) -> None:
    assert [row.sid for row in reader.sessions(wanted=wanted)] == expected
    assert reader.count_sessions(wanted) == len(expected)
    assert [row.sid for row in reader.sessions(2, 1, wanted)] == expected[1:3]


def test_the_users(reader: ArchiveReader) -> None:
    assert reader.users() == ["ana", "wei"]


def test_every_fit_in_the_order_of_chisq(reader: ArchiveReader) -> None:
    fits = reader.fits(SID, 1)
    assert [(fit.job, fit.chisq, fit.dataset) for fit in fits] == [
        ("1.1.3", 2.5, "f1.dat"),
        ("1.2.1", 3.0, "said"),
        ("1.1.2", 7.5, "f2.dat"),
        ("1.1.1", 9.0, "f1.dat"),
    ]
    assert (fits[0].reduced_chisq, fits[1].reduced_chisq) == (2.5, None)
    assert [fit.job for fit in reader.fits(SID, 1, limit=1, offset=2)] == ["1.1.2"]
    assert reader.fits(SID, 9) == []


def test_any_fit_as_the_best_one(reader: ArchiveReader) -> None:
    assert reader.fit(SID, 1, 1, 3) == reader.best(SID, 1)
    second = reader.fit(SID, 1, 1, 2)
    assert second is not None and second.curve is not None and second.parameters[0]["unit"] == "Å"
    assert reader.fit(SID, 1, 2, 2) is None


def test_the_parameters_of_a_job(reader: ArchiveReader) -> None:
    first, second = reader.parameters(SID, 1, 1, 2)
    assert first == ParameterRow(1, "film thickness", 258.8600075, 0.1, "Å", 50.0, 500.0, 99.5)
    assert second == ParameterRow(2, "film sld", 2.426, None, "1e-6/Å^2", 0.0, None, None)
    assert reader.parameters(SID, 1, 2, 1) == []


def test_the_parameters_of_many_jobs(reader: ArchiveReader) -> None:
    rows = reader.spread(SID, 2, most=3)
    assert [(row.job, row.chisq, row.name) for row in rows] == [
        ("2.1.29", 1000.0 / 29, "film thickness"),
        ("2.1.29", 1000.0 / 29, "film sld"),
    ], "the best two have a chisq and no parameters"
    assert len(reader.spread(SID, 2)) == 62


def test_the_batch_is_that_of_the_view_and_can_be_paged(reader: ArchiveReader, path: Path) -> None:
    columns = "dataset, job, chisq, reduced_chisq, npoints, dof, nllf, seed, node, seconds"
    rows = reader.batch(SID, 1)
    shown = ask(path, f"SELECT {columns} FROM batch WHERE sid = ? AND group_number = 1 ORDER BY dataset", SID)
    assert [tuple(getattr(row, name) for name in columns.split(", ")) for row in rows] == shown
    assert rows[1].parameters == {"film thickness": 258.8600075, "film sld": 2.426}
    assert rows[1].errors == {"film thickness": 0.1, "film sld": None}
    assert (rows[2].dataset, rows[2].parameters) == ("said", {})
    assert [row.dataset for row in reader.batch(SID, 1, limit=1, offset=1)] == ["f2.dat"]
    assert (reader.count_datasets(SID, 1), reader.count_datasets(SID, 2), reader.batch(SID, 2)) == (3, 0, [])


def test_of_equal_fits_of_a_data_set_the_first_to_finish_counts(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, session(9), b"", RECEIVED)
        put(archive, [ok(job, 5.0, dataset="d", started=float(job % 4)) for job in range(1, 9)])
    assert ask(path, "SELECT job FROM batch") == [("1.1.4",)]
    assert [row.job for row in ArchiveReader(path).batch(SID, 1)] == ["1.1.4"]


def test_the_curve_of_any_job(reader: ArchiveReader) -> None:
    said = reader.said(SID, 1, 1, 2)
    assert said is not None and said.curve == archive_story.CURVE
    assert said.job == "1.1.2" and "parameters" in said.values
    plain = reader.said(SID, 1, 2, 2)
    assert plain is not None and (plain.values, plain.curve) == ({}, None)
    assert reader.said(SID, 1, 2, 9) is None


def test_every_run_of_a_job(reader: ArchiveReader) -> None:
    assert [(run.attempt, run.node, run.status, run.counts) for run in reader.runs(SID, 1, 1, 3)] == [
        (0, NODE, "ok", False),
        (0, SECOND, "failed", False),
        (1, NODE, "ok", True),
    ]
    [first, *_] = reader.runs(SID, 1, 1, 4)
    words = "exited with status 3: no such file"
    assert first == RunRow(0, 0, NODE, "failed", RECEIVED, 1.0, words, 3, None, "…", False)
    assert reader.runs(SID, 1, 1, 99) == []


def test_messages_after_a_number(reader: ArchiveReader) -> None:
    assert [(row.number, row.text) for row in reader.messages_after(SID, 2, 1)] == [(2, "message 4"), (3, "message 5")]
    assert [row.number for row in reader.messages_after(SID, 2, 0, limit=1)] == [1]
    assert reader.messages_after(SID, 2, 3) == []
    assert [(row.group, row.number) for row in reader.messages(SID, limit=2)] == [(2, 2), (2, 3)]


def test_events_data_sets_provenance_texts_and_deliveries(reader: ArchiveReader) -> None:
    assert reader.events(SID) == [
        EventRow("admitted", RECEIVED, "admitted", "wei", "film.xml"),
        EventRow("retry.01.x0p2qa", RECEIVED + 30.0, "retry", "wei", "round 1, 1 job"),
    ]
    assert reader.node_events() == [NodeEventRow(NODE, RECEIVED, "appeared", "n1, 2 CPUs, park-spool 0.1.0")]
    assert [(row.group, row.name, row.href) for row in reader.data_sets(SID)] == [
        (1, "frame", "frames/f1.dat"),
        (1, "frame", "frames/f2.dat"),
        (2, "film", "film.txt"),
    ]
    assert reader.data_sets(SID)[0].sha256 == FRAME1
    [row] = reader.provenance(SID)
    assert (row.node, row.python, row.versions) == (NODE, "3.11.7", {"numpy": "2.4.6"})
    assert reader.texts(SID)[1] == TextRow(2, {"best": 1, "gid": f"{SID}.2"}, "text")
    assert reader.deliveries(OTHER) == {1: OTHER}


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        (fit_queries._FITS, (SID, 1, 50, 0)),
        (fit_queries._SPREAD, (SID, 1, 1e6, 50)),
        (fit_queries._BATCH, (SID, 1, 50, 0)),
        (fit_queries._COUNT_DATASETS, (SID, 1)),
        (fit_queries._PARAMETERS, (SID, 1, 1, 1)),
        (fit_queries._RUNS, (SID, 1, 1, 1)),
        (queries._FIT, (SID, 1, 1, 1)),
        (queries._HISTORY, (SID, 1)),
        (queries._FAILURES, (SID, 1)),
    ],
)
def test_no_answer_walks_over_all_jobs(path: Path, query: str, arguments: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", arguments)]
    assert not [line for line in plan if line.startswith(("SCAN jobs", "SCAN j ", "SCAN b ", "SCAN p", "SCAN r"))], plan
