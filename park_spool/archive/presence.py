"""What is known of the nodes: their newest heartbeats, what they run, and what failed there and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .results import storable
from .rows import FailureElsewhere, Result

_FAILED_ELSEWHERE = """
  SELECT node, coalesce(why, status) FROM attempts
  WHERE sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?
  AND status IN ('failed', 'timeout') AND node <> ?"""


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
    connection.executemany("INSERT OR REPLACE INTO running VALUES (?,?,?,?, ?,?,?,?,?)", running)
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
