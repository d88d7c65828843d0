"""What is known of sessions, but for groups and jobs: the list, what was said, what happened, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from park_spool.archive.listing import Asked
from park_spool.archive.rows import MessageRow
from park_spool.errors import NotFound
from park_spool.looking import outcome
from park_spool.showing import messages as showing_messages
from park_spool.showing import origin, overview, session
from park_spool.showing.job import ProvenanceShown
from park_spool.showing.messages import MessagesAsked, MessagesPage
from park_spool.showing.origin import DataSetShown, EventShown
from park_spool.showing.overview import Overview
from park_spool.showing.session import SessionPage

from .. import reading
from ..reading import look, reader
from ..who import owner
from . import found
from .answering import File
from .kinds import Count, Group, Order, Page, Sid, Text, is_down
from .operation import CSV, XML, Operation

TAG = "sessions"


State = Literal["", "queued", "running", "paused", "done", "failed", "cancelled", "deleted"]
Sort = Literal["received", "file", "user", "state", "jobs", "progress", "failed", "chisq"]


class SessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sessions, in which order, and which page of them; what is empty is any."""

    text: Annotated[Text, Meta(description="A part of id, user or file, or of the name or task of a group.")] = ""
    user: Annotated[Text, Meta(description="Whose they are.")] = ""
    state: Annotated[State, Meta(description="Deleted ones are listed only where they are asked for.")] = ""
    service: Annotated[Text, Meta(description="A service, or a task: `reflectivity` or `reflectivity/fit`.")] = ""
    sort: Annotated[Sort, Meta(description="By what they are sorted.")] = "received"
    order: Order = ""
    page: Page = 1
    size: Annotated[int, Meta(ge=1, le=500, description="How many on a page.")] = 50


class NewestMessages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Count = 100


class After(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where on, and how many."""

    after: Annotated[int, Meta(ge=0, le=2**53, description="The number of the last message that is known.")] = 0
    limit: Count = 100


class MessagesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages of all sessions."""

    text: Annotated[Text, Meta(description="A part of them.")] = ""
    before: Annotated[
        int, Meta(ge=0, le=2**53, description="Only those older than this place; 0 is from the newest on.")
    ] = 0
    after: Annotated[
        int, Meta(ge=-1, le=2**53, description="Only those that came after this place; -1 is not so.")
    ] = -1
    limit: Count = 100


@dataclass(frozen=True, slots=True)
class Messages:
    """What reducers of a session said, the first thing first."""

    sid: str
    messages: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to a session, the first thing first."""

    sid: str
    events: tuple[EventShown, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What ran the jobs of a session."""

    sid: str
    provenance: tuple[ProvenanceShown, ...]


@dataclass(frozen=True, slots=True)
class DataSets:
    """The data sets that jobs of a session read."""

    sid: str
    data_sets: tuple[DataSetShown, ...]


def sessions(query: SessionsQuery) -> Overview:
    """List sessions: searched, filtered, sorted, a page at a time; and what is on its way to be one."""
    what = (query.text, query.user, query.state, query.service)
    asked = Asked(*what, query.sort, is_down(query.order), query.page, query.size, owner())
    try:
        archive, why = reading.found(), ""
    except NotFound as error:  # the first park-reduced makes it
        archive, why = None, str(error)
    return overview.overview(reading.settings(), reading.disk(), archive, asked, why)


def session_page(sid: Sid) -> SessionPage:
    """Tell how far a session is: its state, its groups with their best fits, what runs, what failed, what was said."""
    return session.session(reading.settings(), None, found.session(sid))


def messages(query: MessagesQuery) -> MessagesPage:
    """List what the reducers of all sessions said, the newest first."""
    after = None if query.after < 0 else query.after
    asked = MessagesAsked(text=query.text, owner=owner(), before=query.before, after=after, limit=query.limit)
    return showing_messages.messages(reader(), asked)


def session_messages(sid: Sid, query: NewestMessages) -> Messages:
    """List the newest messages of a session's reducers."""
    sid = found.session(sid)
    return Messages(sid, tuple(reader().messages(sid, query.limit)))


def group_messages(sid: Sid, group: Group, query: After) -> Messages:
    """List the messages of a group's reducer after a number; one that begins anew numbers anew."""
    sid = found.session(sid)
    return Messages(sid, tuple(reader().messages_after(sid, group, query.after, query.limit)))


def session_events(sid: Sid) -> Events:
    """List what happened to a session, the first thing first."""
    sid = found.session(sid)
    return Events(sid, origin.origin(reader(), sid).events)


def session_provenance(sid: Sid) -> Provenance:
    """List what ran the jobs of a session: nodes, services and libraries with their versions."""
    sid = found.session(sid)
    return Provenance(sid, origin.origin(reader(), sid).ran)


def session_data(sid: Sid) -> DataSets:
    """List the data sets that jobs of a session read, with their digests."""
    sid = found.session(sid)
    return DataSets(sid, origin.origin(reader(), sid).data)


def session_xml(sid: Sid) -> File:
    """Save the XML of a session as it was received."""
    sid = found.session(sid)
    return File(f"{sid}.xml", origin.xml(reading.settings(), reading.disk(), reader(), sid))


def results_csv(sid: Sid) -> File:
    """Save all jobs that have a result as a table."""
    return _table(sid, outcome.RESULTS)


def parameters_csv(sid: Sid) -> File:
    """Save the parameters of all best fits as a table."""
    return _table(sid, outcome.PARAMETERS)


def batch_csv(sid: Sid, group: Group) -> File:
    """Save a batch as a table: a row for each data set. It is empty if the group is none."""
    return _table(sid, f"batch-{group}")


def _table(prefix: str, name: str) -> File:
    sid = found.session(prefix)
    return File(f"{sid}-{name}.csv", outcome.find(look(), sid).table(name))


OPERATIONS = (
    Operation("GET", "/sessions", sessions, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}", session_page, TAG, is_live=True),
    Operation("GET", "/messages", messages, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/messages", session_messages, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/groups/{group}/messages", group_messages, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/events", session_events, TAG, is_live=True),
    Operation("GET", "/sessions/{sid}/provenance", session_provenance, TAG),
    Operation("GET", "/sessions/{sid}/data", session_data, TAG),
    Operation("GET", "/sessions/{sid}/xml", session_xml, TAG, mime=XML),
    Operation("GET", "/sessions/{sid}/results.csv", results_csv, TAG, mime=CSV),
    Operation("GET", "/sessions/{sid}/parameters.csv", parameters_csv, TAG, mime=CSV),
    Operation("GET", "/sessions/{sid}/groups/{group}/batch.csv", batch_csv, TAG, mime=CSV),
)
