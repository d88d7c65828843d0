"""Whatever a service may write: any text, any JSON, absurd lists of parameters. Nothing raises, and the archive is whole."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from archive_examples import RECEIVED, SID, ask, failed, ok, put, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from park_spool.archive import fitted
from park_spool.archive.checking import check
from park_spool.archive.exporting import export
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive
from park_spool.sessions import datasets

VIEWS = ("best", "progress", "failures", "batch", "curves", "points")

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["half \ud800", "NUL \0 here", "", 10**400, -(2**63), 2**63, 1e308, -0.0, "1.5"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
PARAMETER = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from(["name", "value", "error", "unit", "min", "max", "start", "odd"]), JSON, max_size=7
    ),
)
CURVE = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from(["x", "y", "dy", "dx", "model", "xlabel", "yunit", "yscale", "data", "odd"]),
        st.one_of(JSON, st.lists(SCALARS, max_size=4)),
        max_size=8,
    ),
)
REPLY = st.fixed_dictionaries(
    {},
    optional={
        "chisq": SCALARS,
        "dof": SCALARS,
        "npoints": SCALARS,
        "nllf": SCALARS,
        "seed": SCALARS,
        "dataset": JSON,
        "parameters": st.one_of(JSON, st.lists(PARAMETER, max_size=5)),
        "curve": CURVE,
    },
)
WORDS = st.sampled_from(
    [
        '{"parameters": [',
        '{"curve": {"x": [1, 2',
        "<reply chisq='5' dataset='d'/>",
        "<a/>\n{",
        '{"chisq": 1}{"chisq": 2}',
        "[" * 3000,
    ]
)
OUTPUT = st.one_of(
    REPLY.map(json.dumps),
    st.tuples(st.text(max_size=20), REPLY.map(lambda reply: json.dumps(reply, ensure_ascii=False))).map("\n".join),
    st.tuples(REPLY.map(json.dumps), st.text(max_size=20)).map("".join),
    JSON.map(json.dumps),
    st.text(),
    WORDS,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(OUTPUT, st.booleans()), min_size=1, max_size=6))
def test_any_output_is_stored_and_every_view_and_reader_answers(outputs: list[tuple[str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "park.sqlite"
        batch = [
            ok(job, output=output, dataset=datasets.of_output(output), started=float(job))
            if is_ok
            else failed(job, 2, is_final=True, output=output, stderr=output)
            for job, (output, is_ok) in enumerate(outputs, 1)
        ]
        with Archive.open(path) as archive:
            archive.add_session(SID, session(9), b"<session/>", RECEIVED)
            put(archive, batch, [result._replace(attempt=result.attempt + 1) for result in batch[:2]])
            for job, (output, _) in enumerate(outputs, 1):
                archive.put_text(SID, 1, {"job": job}, output)
                archive.add_message(SID, 1, output, float(job))
        assert check(path) == []
        for view in VIEWS:
            ask(path, f"SELECT * FROM {view}")
            ask(path, f"SELECT * FROM {view} WHERE sid = ?", SID)
        read_everything(ArchiveReader(path), len(outputs))
        export(ArchiveReader(path), Path(folder) / "tables")


def read_everything(reader: ArchiveReader, jobs: int) -> None:
    reader.session_page(SID)
    reader.fits(SID, 1), reader.batch(SID, 1), reader.spread(SID, 1), reader.texts(SID), reader.failures(SID)
    for job in range(1, jobs + 1):
        reader.parameters(SID, 1, 1, job), reader.said(SID, 1, 1, job), reader.fit(SID, 1, 1, job)
        reader.job(SID, 1, 1, job), reader.runs(SID, 1, 1, job)


@given(st.one_of(JSON, st.lists(PARAMETER, max_size=20)))
def test_any_parameters_are_rows_that_a_database_can_hold(said: Any) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE TABLE p (place INTEGER, name TEXT NOT NULL, a REAL, b REAL, u TEXT, c REAL, d REAL, e REAL)"
        )
        rows = list(fitted.rows(said))
        connection.executemany("INSERT INTO p VALUES (?,?,?,?,?,?,?,?)", rows)
        assert [tuple(row) for row in connection.execute("SELECT * FROM p")] == rows
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})


def test_a_list_of_absurd_length_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, session(9), b"", RECEIVED)
        put(archive, [ok(1, output=json.dumps({"parameters": [{"name": "a", "value": 1}] * 50_000}))])
    assert ask(path, "SELECT count(*) FROM parameters") == [(fitted.MOST,)]
    assert check(path) == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('{"curve": {"x": [1, 2], "y": [3, null], "ylabel": 5}}', [("[1,2]", "[3,null]", None)]),
        ('chisq 5\n\n{"curve": {"x": [1], "y": "none", "ylabel": "R"}}\n\n', [("[1]", None, "R")]),
        ('{"curve": {"x": [], "y": []}}', [("[]", "[]", None)]),
        ('{"curve": {"y": [1]}}', []),
        ('{"curve": {"x": 5}}', []),
        ('{"curve": [1]}', []),
        ('{"curve": {"x": [1, NaN]}}', []),
        ('{"curve": {"x": [1]}}\nnot the last line', []),
        ('["curve"]', []),
        ("curve", []),
    ],
)
def test_the_curves_are_those_that_are_json(tmp_path: Path, output: str, expected: list[tuple[object, ...]]) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, session(9), b"", RECEIVED)
        put(archive, [ok(1, output=output), failed(2, 2, is_final=True, output=output)])
    assert ask(path, "SELECT x, y, ylabel FROM curves") == expected


def test_the_points_of_a_curve(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, session(9), b"", RECEIVED)
        put(archive, [ok(1, output='{"curve": {"x": [1, 2], "y": [3], "model": [5, 6.5, 7]}}', dataset="d")])
    assert ask(path, "SELECT job, dataset, place, x, y, dy, model FROM points") == [
        ("1.1.1", "d", 1, 1, 3, None, 5),
        ("1.1.1", "d", 2, 2, None, None, 6.5),
    ]
