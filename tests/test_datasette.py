"""Datasette over an archive, with the metadata that comes along: every page of it answers, and says what things are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

import archive_story
import pytest
from archive_examples import ask
from archive_story import SID
from console import park
from test_archive_document import QUERIES

from park_spool.archive import described
from park_spool.config import make_spool

DATABASE = described.metadata()["databases"]["park"]
VALUES = {"sid": SID, "group_number": 1, "joblist_number": 1, "job_number": 3, "parameter": "film thickness"}


def as_canned(query: str) -> str:
    """A query of the document with its examples made parameters."""
    text = (
        query.strip()
        .rstrip(";")
        .replace(f"'{SID}'", ":sid")
        .replace("group_number = 1", "group_number = :group_number")
    )
    text = re.sub(r"\(1, 1, \d\)", "(:group_number, :joblist_number, :job_number)", text)
    return text.replace("""'$."film thickness"'""", """'$."' || :parameter || '"'""")


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spool = tmp_path_factory.mktemp("datasette") / "spool"
    make_spool(spool)
    archive_story.archive(spool / "archive" / "park.sqlite")
    return spool


@pytest.fixture(scope="module")
def site(spool: Path, needs: Callable[[str], str]) -> Iterator[str]:
    """Start Datasette on a free port of loopback, as docs/archive.md says; give its address."""
    needs("datasette")
    metadata = spool.parent / "metadata.json"
    metadata.write_text(park("archive", "metadata", spool=spool).stdout)
    command = [sys.executable, "-m", "datasette", str(spool / "archive" / "park.sqlite"), "--metadata", str(metadata)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.status == 200
        return unescape(answer.read().decode())


def test_the_front_page_names_the_archive(site: str) -> None:
    assert "park-spool" in get(site)
    page = get(f"{site}/park")
    assert all(query["title"] in page for query in DATABASE["queries"].values())


@pytest.mark.parametrize("name", DATABASE["tables"])
def test_the_page_of_each_table_and_view(site: str, name: str) -> None:
    page = get(f"{site}/park/{name}")
    table = DATABASE["tables"][name]
    assert table.get("description", "") in page
    first = next(iter(table["columns"].values()))
    assert first in page or name == "_sqlite_migrations"
    rows = json.loads(get(f"{site}/park/{name}.json?_shape=array"))
    assert rows and set(rows[0]) - {"rowid"} == set(table["columns"])


@pytest.mark.parametrize("name", DATABASE["queries"])
def test_the_page_of_each_query(site: str, name: str) -> None:
    query = DATABASE["queries"][name]
    used = {key: value for key, value in VALUES.items() if f":{key}" in query["sql"]}
    if "curve" in name:
        used["job_number"] = 2
    assert query["title"] in get(f"{site}/park/{name}")
    assert json.loads(get(f"{site}/park/{name}.json?{urlencode(used)}&_shape=array")), "no rows"
    get(f"{site}/park/{name}?{urlencode(used)}")


def test_a_row_and_what_refers_to_it(site: str) -> None:
    page = get(f"{site}/park/sessions/{quote(SID)}")
    assert "groups" in page and "events" in page, "foreign keys are followed"


# the metadata, without Datasette


def test_every_table_view_and_column_is_described_and_nothing_else(spool: Path) -> None:
    path = spool / "archive" / "park.sqlite"
    names = ask(
        path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    assert set(described.tables()) == {name for (name,) in names}
    for name, table in described.tables().items():
        assert list(table.columns) == [row[1] for row in ask(path, f"PRAGMA table_info({name})")], name
        assert all(table.columns.values()) and table.title


def test_no_query_hides_the_page_of_a_table() -> None:
    assert set(DATABASE["queries"]) & set(DATABASE["tables"]) == set()


def test_the_queries_are_those_of_the_document() -> None:
    assert [query["sql"] for query in DATABASE["queries"].values()] == [as_canned(query) for query in QUERIES]


def test_the_metadata_is_for_a_file_of_any_name(spool: Path) -> None:
    assert list(described.metadata("film")["databases"]) == ["film"]
    assert json.loads(park("archive", "metadata", spool=spool).stdout) == described.metadata()
