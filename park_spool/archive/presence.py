"""What is known of the nodes: their newest heartbeats, what they run, and what failed there and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .entries import FailureElsewhere, Result
from .results import storable

_FAILED_ELSEWHERE = """
  SELECT node, coalesce(why, status) FROM attempts
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?
  AND status IN ('failed', 'timeout') AND node <> ?"""
# What runs of a session that is not in here (yet, or any more) has no row.
_INSERT_RUNNING = """
  INSERT OR REPLACE INTO running SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
  WHERE EXISTS (SELECT 1 FROM joblists WHERE (sid, group_number, joblist_number) = (?1, ?2, ?3))"""


def put_node(connection: sqlite3.Connection, node: Mapping[str, Any]) -> None:
    """Keep a node's newest heartbeat."""
    connection.execute(
        "INSERT OR REPLACE INTO nodes VALUES (?,?,?,?,?,?,?)",
        (
            *(node["node"], storable(str(node.get("host", ""))), int(node.get("cpus", 0))),
            *(storable(str(node.get("state", "alive"))), float(node.get("seen", 0.0)), len(node.get("units", ()))),
            storable(json.dumps(dict(node), ensure_ascii=False, default=str)),
        ),
    )


def mark_gone(connection: sqlite3.Connection, present: Iterable[str]) -> None:
    """Mark every node as gone that is not among these."""
    connection.execute(
        "UPDATE nodes SET state = 'gone' WHERE state <> 'gone' AND node NOT IN (SELECT value FROM json_each(?))",
        (json.dumps(list(present)),),
    )


def put_running(connection: sqlite3.Connection, running: Iterable[Sequence[object]]) -> None:
    """Replace what runs by this; a session of which something runs waits no more."""
    connection.execute("DELETE FROM running")
    connection.executemany(_INSERT_RUNNING, running)
    connection.execute(
        "UPDATE sessions SET state = 'running' WHERE state = 'queued' AND sid IN (SELECT sid FROM running)"
    )


def failed_elsewhere(connection: sqlite3.Connection, answered: Iterable[Result]) -> list[FailureElsewhere]:
    """Return the failures of these jobs on other nodes than those where they now are ok."""
    return [
        FailureElsewhere(node, result.sid, result.name, why)
        for result in answered
        for node, why in connection.execute(_FAILED_ELSEWHERE, (*result.key, result.node))
    ]
