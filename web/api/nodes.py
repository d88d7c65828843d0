"""The machines at work: nodes, what happened to them, their logs, and the data centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from park_spool.archive.finding import Found
from park_spool.archive.rows import NodeEventRow
from park_spool.errors import NotFound
from park_spool.showing import centre as showing_centre
from park_spool.showing import logs as showing_logs
from park_spool.showing import nodes as showing_nodes
from park_spool.showing.centre import CentrePage
from park_spool.showing.logs import LogFile, LogTail
from park_spool.showing.nodes import NodePage, NodesPage

from .. import reading
from ..reading import disk, reader, settings
from ..who import owner, require_everybody
from .kinds import Count, LogName, Node, Text
from .operation import Operation

TAG = "nodes"


@dataclass(frozen=True, slots=True)
class NodeEvents:
    """What happened to nodes, the newest first."""

    events: tuple[NodeEventRow, ...]


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of all daemons."""

    logs: tuple[LogFile, ...]


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Count = 100


class TailQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines."""

    lines: Annotated[int, Meta(ge=1, le=showing_logs.MOST_LINES, description="How many of the last lines.")] = 200
    level: Annotated[
        Literal["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], Meta(description="Only lines of at least this.")
    ] = ""
    text: Annotated[Text, Meta(description="Only lines with this in them.")] = ""


def nodes() -> NodesPage:
    """List the nodes with what runs there, and say who else is at work or missing."""
    return showing_nodes.nodes(settings(), disk(), _archive(), owner())


def node(node: Node) -> NodePage:
    """Tell all of one node, and what happened to it."""
    return showing_nodes.node(settings(), disk(), _archive(), node, owner())


def _archive() -> Found | None:
    """Return the archive; None where there is none, for what can be told without it."""
    try:
        return reading.found()
    except NotFound:
        return None


def node_events(query: EventsQuery) -> NodeEvents:
    """List what happened to nodes, the newest first."""
    return NodeEvents(tuple(reader().node_events(query.limit)))


def logs() -> Logs:
    """List the logs of all daemons."""
    require_everybody()
    return Logs(showing_logs.logs(settings(), disk()))


def log(name: LogName, query: TailQuery) -> LogTail:
    """Tell the last lines of a log."""
    require_everybody()
    return showing_logs.tail(settings(), disk(), name, query.lines, query.level, query.text)


def data_centre() -> CentrePage:
    """Say how full the data centre is, and what it does."""
    return showing_centre.centre(settings())


OPERATIONS = (
    Operation("GET", "/nodes", nodes, TAG, is_live=True),
    Operation("GET", "/nodes/{node}", node, TAG, is_live=True),
    Operation("GET", "/events/nodes", node_events, TAG, is_live=True),
    Operation("GET", "/logs", logs, TAG),
    Operation("GET", "/logs/{name}", log, TAG, is_live=True),
    Operation("GET", "/centre", data_centre, TAG),
)
