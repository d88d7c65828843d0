"""docs/archive.md is true: its queries run and answer, and it names every table, view and sum there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from archive_examples import RECEIVED, SID, ask, failed, ok, put, record, session

from park_spool.archive.writing import Archive
from park_spool.replies import KeptFile

DOCUMENT = (Path(__file__).parent.parent / "docs" / "archive.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
FIT = """{"chisq": 966.19, "npoints": 408, "dof": 399, "parameters": [
  {"name": "film thickness", "value": 258.86, "error": 0.1, "unit": "Å", "min": 50, "max": 500}]}"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive in which every question of the document has an answer."""
    path = tmp_path_factory.mktemp("archive") / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(48)), b"<session/>", RECEIVED)
        kept = {"fit.dat": KeptFile(sha256="ab" * 32, size=9)}
        put(archive, [ok(1, 29207.5, files=kept), ok(2, output=FIT, started=1.0)])
        put(archive, [failed(3), failed(3, 2, is_final=True), failed(4, 2, is_final=True)])
        archive.apply_retry(SID, "retry.01.x0p2qa", 1, {(1, 1): [(4, 5)]})
        archive.put_running([(SID, 1, 1, 4, "n1_1_aaaaaa", RECEIVED, 3.0, 12.5, "<reply chisq='12.5'/>")])
        archive.put_text(SID, 1, {"gid": f"{SID}.1"}, FIT)
        archive.add_message(SID, 1, "<reply/>", RECEIVED)
        archive.put_node({"node": "n1_1_aaaaaa", "host": "n1", "cpus": 2, "units": [], "seen": RECEIVED})
    return path


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_document_answers(path: Path, query: str) -> None:
    assert ask(path, query), query


def test_there_are_queries() -> None:
    assert len(QUERIES) >= 10


def test_every_table_and_view_is_named(path: Path) -> None:
    names = [name for (name,) in ask(path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    missing = [name for name in names if f"`{name}`" not in DOCUMENT and not name.startswith("sqlite_")]
    assert missing == []


def test_the_schema_explains_itself(path: Path) -> None:
    """The remarks of tables.py are kept in the file, where `.schema` shows them."""
    ((jobs,),) = ask(path, "SELECT sql FROM sqlite_master WHERE name = 'jobs'")
    assert "-- the plain sum of squared residuals over errors" in jobs


def test_the_best_view_agrees_with_the_history_and_the_progress(path: Path) -> None:
    assert ask(path, "SELECT chisq FROM best") == ask(path, "SELECT min(chisq) FROM history")
    assert ask(path, "SELECT best_chisq, best_job FROM progress") == [(966.19, "1.1.2")]


@pytest.mark.parametrize("view", ["progress", "best", "failures"])
def test_looking_stays_cheap_however_many_jobs(path: Path, view: str) -> None:
    """The questions that pages ask again and again find their few rows by an index, and walk over no jobs."""
    plan = [str(row[3]) for row in ask(path, f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE sid = ?", SID)]
    on_jobs = [line for line in plan if line.startswith(("SCAN j ", "SEARCH j "))]
    assert on_jobs, plan
    assert all("job_number=?" in line or "jobs_not_ok" in line for line in on_jobs), plan
    assert not [line for line in plan if line.startswith("SCAN h")], plan
