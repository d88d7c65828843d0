"""Where results came from: the data sets that jobs read, and what ran them. Nothing is written where nothing is new."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from .entries import DataSet, Provenance
from .results import storable

# One digest may be named by two hrefs: the smaller one stands, in whatever order they come.
_INSERT_DATA_SET = """
  INSERT INTO data_sets VALUES (?,?,?,?,?)
  ON CONFLICT DO UPDATE SET href = excluded.href WHERE excluded.href < data_sets.href"""
_INSERT_PROVENANCE = "INSERT OR IGNORE INTO provenance VALUES (?,?,?, ?,?,?, ?,?,?)"


def put_data_sets(connection: sqlite3.Connection, rows: Iterable[DataSet]) -> None:
    """Keep data sets, each once."""
    connection.executemany(_INSERT_DATA_SET, map(_row, set(rows)))


def put_provenance(connection: sqlite3.Connection, rows: Iterable[Provenance]) -> None:
    """Keep what ran jobs, each node with each text of the service once."""
    connection.executemany(_INSERT_PROVENANCE, map(_row, set(rows)))


def _row(given: DataSet | Provenance) -> tuple[object, ...]:
    return (given.sid, given.group, *map(storable, given[2:]))
