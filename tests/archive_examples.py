"""Examples and oracles shared by the tests of the archive."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from park_spool.archive.writing import Archive, Result

SID = "20261123-025532-k3j9"
OTHER = "20261124-101010-aaaa"
RECEIVED = 1_795_402_500.0
TIMED_TABLES = ("replies", "bundles", "meta", "_sqlite_migrations")

GAPS_AND_ISLANDS = """
  SELECT group_number, joblist_number, min(job_number), max(job_number) + 1 FROM (
    SELECT group_number, joblist_number, job_number, job_number - row_number() OVER (
      PARTITION BY group_number, joblist_number ORDER BY job_number) AS island
    FROM jobs WHERE sid = ?)
  GROUP BY group_number, joblist_number, island ORDER BY 1, 2, 3"""


def session(*sizes: int, name: str = "film", reducer: str | None = "Chisq", user: str = "wwchen") -> dict[str, Any]:
    """Return a session.json of one group for each size."""
    groups = [
        {
            "name": f"{name}{number}",
            "task": {"cmd": "reflectivity/fit", "service": "reflectivity", "command": "fit"},
            "reduce": reducer,
            "joblists": [{"name": "starts", "priority": 4, "size": size, "inputs": [], "scan": None}],
        }
        for number, size in enumerate(sizes or (48,), 1)
    ]
    return {"user": user, "email": "wwchen@example.org", "priority": 0, "attributes": {}, "groups": groups}


def record(**changes: Any) -> dict[str, Any]:
    """Return what session.json holds: the session, and how it came."""
    return {"sid": SID, "file": "film.xml", "owner": "wei", "received": RECEIVED, "max_attempts": 3} | changes


def ok(job: int, chisq: float | None = None, *, started: float = 0.0, seconds: float = 1.0, **fields: Any) -> Result:
    """Return a result that is ok, `started` seconds after the session was received."""
    output = "{}" if chisq is None else f'{{"chisq": {chisq!r}, "npoints": 408, "dof": 399, "seed": {job}}}'
    values = {
        "group": 1,
        "joblist": 1,
        "round": 0,
        "attempt": 0,
        "node": "n1_1_aaaaaa",
        "output": output,
    } | fields
    return Result(
        sid=values.pop("sid", SID),
        job=job,
        status="ok",
        started=RECEIVED + started,
        seconds=seconds,
        **values,
    )


def failed(job: int, attempt: int = 0, *, is_final: bool = False, **fields: Any) -> Result:
    """Return a result that is not ok."""
    why = {
        "status": "failed",
        "output": "",
        "why": "exited with status 3: no such file",
        "exit": 3,
        "stderr": "…",
    }
    started = RECEIVED + fields.pop("started", 0.0)
    return ok(job)._replace(attempt=attempt, is_final=is_final, started=started, **(why | fields))


def derived_output(*place: object) -> str:
    """Return an output that depends on where and when a job ran, as a real one does."""
    return f'{{"chisq": {zlib.crc32(repr(place).encode()) % 9}}}'


def put(archive: Archive, *batches: Iterable[Result]) -> None:
    for batch in batches:
        with archive.transaction():
            archive.put_results(batch)


def dump(path: Path, leave_out: Iterable[str] = TIMED_TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, sorted."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)
            for table in tables
            if table not in leave_out and not table.startswith("sqlite_")
        }


def ask(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


def pieces(items: list[Result], cuts: Iterable[int]) -> Iterator[list[Result]]:
    """Cut a list at these places."""
    places = [0, *sorted(cuts), len(items)]
    for start, stop in pairwise(places):
        yield items[start:stop]
