"""`check(path)`: sentences about everything in an archive that does not follow from the rest of it.

The oracle of the archive's tests and the operator's tool (`park archive check`) alike. Reads only, in one snapshot, and
every row: minutes for ten million jobs.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from park_spool.attributes import numbers

from . import fitted
from .rules import RULES
from .sqlite import snapshot

MOST = 100  # sentences of one kind

_OUTPUTS = """
  SELECT sid, group_number, joblist_number, job_number, CASE WHEN status = 'ok' THEN output ELSE '' END
  FROM jobs LEFT JOIN results USING (sid, group_number, joblist_number, job_number)
  WHERE EXISTS (
      SELECT 1 FROM parameters p WHERE p.sid = jobs.sid AND p.group_number = jobs.group_number
      AND p.joblist_number = jobs.joblist_number AND p.job_number = jobs.job_number)
    OR instr(output, 'parameters') OR instr(output, '\\')"""
_PARAMETERS = """
  SELECT place, name, value, error, unit, min, max, start FROM parameters
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ? ORDER BY place"""


def check(path: Path, is_copy: bool = False) -> list[str]:
    """Return one sentence for each fault of the archive at `path`; an empty list means that all is well.

    `is_copy`: it is never written again. Raises NotFound if there is none, SpoolError if the file is no archive.
    """
    with snapshot(path, is_copy=is_copy) as connection:
        broken = [text for (text,) in connection.execute(f"PRAGMA integrity_check({MOST})") if text != "ok"]
        if broken:
            return [f"the file is damaged: {text}" for text in broken]
        return [*_strays(connection), *_contradictions(connection), *_few(_misread(connection))]


def _strays(connection: sqlite3.Connection) -> Iterator[str]:
    """Find rows that refer to rows which are not there."""
    found = Counter((row[0], row[2]) for row in connection.execute("PRAGMA foreign_key_check"))
    for (table, parent), rows in found.items():
        yield f"{table}: {rows} of its rows belong to rows of {parent} that are not there"


def _contradictions(connection: sqlite3.Connection) -> Iterator[str]:
    for sentence, query in RULES:
        yield from _few(sentence.format(*row) for row in connection.execute(query))


def _misread(connection: sqlite3.Connection) -> Iterator[str]:
    """Find jobs whose parameters are not those of their output."""
    for *key, output in connection.execute(_OUTPUTS):
        kept = [tuple(row) for row in connection.execute(_PARAMETERS, key)]
        if kept != list(fitted.rows(numbers(output or "").values.get("parameters"))):
            yield "session {}, job {}.{}.{}: its parameters are not those of its output".format(*key)


def _few(sentences: Iterator[str]) -> Iterator[str]:
    """Yield sentences of one kind, and no more than a person reads."""
    for number, sentence in enumerate(sentences):
        if number == MOST:
            yield "… and more like this"
            return
        yield sentence
