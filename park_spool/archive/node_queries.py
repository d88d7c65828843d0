"""The questions about nodes: those that were seen last, and what happened to them."""

from __future__ import annotations

import json
import sqlite3

from .rows import NodeEventRow, NodeRow

_SEEN = """
  SELECT node, host, cpus, state, seen, units, heartbeat FROM nodes
  WHERE ?1 IS NULL OR node = ?1 ORDER BY seen DESC, node LIMIT ?2"""
_EVENTS = """
  SELECT node, at, what, detail FROM node_events WHERE ?1 IS NULL OR node = ?1 ORDER BY at DESC, node LIMIT ?2"""


def seen(connection: sqlite3.Connection, node: str | None, limit: int) -> list[NodeRow]:
    """Return the nodes that were seen last, the newest first; or one."""
    rows = connection.execute(_SEEN, (node, limit))
    return [NodeRow(**{**row, "heartbeat": json.loads(row["heartbeat"])}) for row in rows]


def events(connection: sqlite3.Connection, node: str | None, limit: int) -> list[NodeEventRow]:
    """Return the newest things that happened to nodes, or to one, the newest first."""
    return [NodeEventRow(**row) for row in connection.execute(_EVENTS, (node, limit))]
