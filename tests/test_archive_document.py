"""docs/archive.md is true: its queries run and answer, and it names every table, view and sum there is."""

from __future__ import annotations

import re
from pathlib import Path

import archive_story
import pytest
from archive_examples import ask
from archive_story import SID

DOCUMENT = (Path(__file__).parent.parent / "docs" / "archive.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive in which every question of the document has an answer."""
    return archive_story.archive(tmp_path_factory.mktemp("archive") / "park.sqlite")


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
    lowest = "SELECT min(chisq) FROM history GROUP BY sid, group_number ORDER BY sid, group_number"
    assert ask(path, "SELECT chisq FROM best ORDER BY sid, group_number") == ask(path, lowest)
    assert ask(path, "SELECT best_chisq, best_job FROM progress WHERE sid = ?", SID) == [(2.5, "1.1.3")]


@pytest.mark.parametrize("view", ["progress", "best", "failures"])
def test_looking_stays_cheap_however_many_jobs(path: Path, view: str) -> None:
    """The questions that pages ask again and again find their few rows by an index, and walk over no jobs."""
    plan = [str(row[3]) for row in ask(path, f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE sid = ?", SID)]
    on_jobs = [line for line in plan if line.startswith(("SCAN j ", "SEARCH j "))]
    assert on_jobs, plan
    assert all("job_number=?" in line or "jobs_not_ok" in line for line in on_jobs), plan
    assert not [line for line in plan if line.startswith("SCAN h")], plan
