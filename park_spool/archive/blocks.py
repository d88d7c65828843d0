"""Store a block: many consecutive jobs of one run that are all ok, say nothing but their output, and hold no numbers.

Tiny jobs come by thousands in a reply, and all of them like this. Where none of them has a final result yet, which
`final_ranges` alone can tell, the rows are what `results.put_results` makes (the tests compare), at a fraction of its
time: no value for each job, and 50 rows a statement, so that what they share is bound once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import chain
from math import isfinite
from typing import Any

from park_spool.attributes import may_hold_numbers

from . import derived
from .entries import Block

LEAST = 20  # jobs; fewer are stored one by one
_ROWS = 50  # of one statement: measured, more gain nothing
_IS_CONTESTED = """
  SELECT 1 FROM final_ranges WHERE sid = ? AND group_number = ? AND joblist_number = ? AND start < ? AND stop > ?"""


def _insert_jobs(rows: int) -> str:
    places = ", ".join(
        f"(?1, ?2, ?3, ?4, ?5, ?6, 'ok', ?{n}, ?{n + 1}, ?{n + 2}, ?{n + 1} + ?{n + 2})"
        for n in range(7, 7 + 3 * rows, 3)
    )
    columns = "sid, group_number, joblist_number, round, attempt, node, status, job_number, started, seconds, finished"
    return f"INSERT INTO jobs ({columns}) VALUES {places}"


def _insert_results(rows: int) -> str:
    places = ", ".join(f"(?1, ?2, ?3, ?{n}, ?{n + 1})" for n in range(4, 4 + 2 * rows, 2))
    return f"INSERT INTO results (sid, group_number, joblist_number, job_number, output) VALUES {places}"


_JOBS, _JOB = _insert_jobs(_ROWS), _insert_jobs(1)
_RESULTS, _RESULT = _insert_results(_ROWS), _insert_results(1)


def put_block(connection: sqlite3.Connection, block: Block) -> bool:
    """Store a block; False, and nothing is changed, if it is not one, or has jobs with final results already."""
    head, start = block[:3], block.start
    stop = start + len(block.started)
    finished = [began + lasted for began, lasted in zip(block.started, block.seconds, strict=True)]
    if (
        len(finished) < LEAST
        or not (isfinite(min(finished)) and isfinite(max(finished)))
        or not _is_plain(block.outputs)
    ):
        return False
    if connection.execute(_IS_CONTESTED, (*head, stop, start)).fetchone():
        return False
    numbers = range(start, stop)
    shared = (*head, block.round, block.attempt, block.node)
    _insert(connection, _JOBS, _JOB, shared, zip(numbers, block.started, block.seconds, strict=True), 3)
    said = [place for place in zip(numbers, block.outputs, strict=True) if place[1]]
    _insert(connection, _RESULTS, _RESULT, head, said, 2)
    derived.add_range(connection, head, start, stop)
    derived.add_plain_sum(connection, head, len(finished), min(block.started), max(finished))
    derived.drop_answered(connection, head, start, stop - 1)
    return True


def _is_plain(outputs: list[str]) -> bool:
    """Say whether texts go into the database as they are, and none holds a number that `jobs` keeps."""
    text = "\n".join(outputs)
    return text.isascii() and not may_hold_numbers(text)


def _insert(
    connection: sqlite3.Connection, many: str, one: str, shared: tuple[Any, ...], rows: Iterable[Any], width: int
) -> None:
    """Insert rows of `width` values, each behind the shared ones: as many as a statement takes at a time."""
    flat = list(chain.from_iterable(rows))
    size = width * _ROWS
    whole = len(flat) - len(flat) % size
    connection.executemany(many, [(*shared, *flat[place : place + size]) for place in range(0, whole, size)])
    connection.executemany(one, [(*shared, *flat[place : place + width]) for place in range(whole, len(flat), width)])
