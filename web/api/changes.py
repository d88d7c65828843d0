"""What may be done to a session that was sent: the same as on the command line, in the name of who asks."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPMethod
from typing import Annotated

import msgspec
from msgspec import Meta

from park_spool.accounts.roles import Role
from park_spool.desk import Desk, Said
from park_spool.errors import SessionError

from .. import who
from ..reading import settings
from . import found
from .kinds import Sid
from .operation import Operation, address

TAG = "changes"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a wish, in a sentence; what runs may take a moment to end."""

    sid: str
    said: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A session that was sent: its id, and its address here. Warnings are what is odd in it."""

    sid: str
    href: str
    warnings: tuple[str, ...] = ()


class Priority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The higher one goes first."""

    priority: Annotated[int, Meta(ge=-100, le=100)]


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which failed jobs: `1.1.17`, `1.1.3-7`, or `1.1` for a whole job list; all where none is named."""

    jobs: Annotated[tuple[Annotated[str, Meta(max_length=40)], ...], Meta(max_length=1000)] = ()


class Reduce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which group's reducer; 0 for all."""

    group: Annotated[int, Meta(ge=0, le=999)] = 0


class Resubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where: the best fits, or the fit of a job (1.1.17); else all anew. `changes` are set in every input."""

    from_best: bool = False
    from_job: Annotated[str, Meta(max_length=20)] = ""
    changes: Annotated[dict[str, str], Meta(max_length=100)] = {}


def cancel_session(sid: Sid) -> Told:
    """Cancel a session: what runs is killed, what is done stays. It cannot be undone."""
    return _asked(sid, "cancel")


def pause_session(sid: Sid) -> Told:
    """Pause a session: nothing more of it is started, what runs goes on."""
    return _asked(sid, "pause")


def resume_session(sid: Sid) -> Told:
    """Let a paused session go on."""
    return _asked(sid, "resume")


def set_priority(sid: Sid, body: Priority) -> Told:
    """Give a session another priority."""
    return _asked(sid, "priority", body.priority)


def delete_session(sid: Sid) -> Told:
    """Delete a session with all its results."""
    return _asked(sid, "delete")


def _asked(prefix: str, verb: str, argument: int | None = None) -> Told:
    return _told(_desk().ask(found.changeable(prefix), verb, argument), verb)


def retry_jobs(sid: Sid, body: Retry) -> Told:
    """Have jobs that failed for good run again."""
    return _told(_desk().retry(found.changeable(sid), body.jobs), "retry")


def reduce_again(sid: Sid, body: Reduce) -> Told:
    """Have the reducers of a session run again over what is archived."""
    return _told(_desk().reduce(found.changeable(sid), body.group or None), "reduce")


def resubmit_session(sid: Sid, body: Resubmit) -> Sent:
    """Send a session once more: as it was, or from fits that it found. The old one stays as it is."""
    sid = found.session(sid)
    if body.from_best and body.from_job:
        raise SessionError("expected one of from_best and from_job, got both; nothing was sent")
    new = _desk().resubmit(sid, body.changes, body.from_job or None, body.from_best)
    who.record("resubmit", new, f"from {sid}")
    return Sent(new, address(f"/sessions/{new}"))


def _desk() -> Desk:
    return Desk.open(settings(), who.who().name)


def _told(said: Said, verb: str) -> Told:
    who.record(verb, said.sid, said.sentence)
    return Told(said.sid, said.sentence)


def _change(path: str, run: object, **more: object) -> Operation:
    method = HTTPMethod.DELETE if run is delete_session else HTTPMethod.POST
    return Operation(method, path, run, TAG, Role.SUBMITTER, may_conflict=True, **more)  # type: ignore[arg-type]


OPERATIONS = (
    _change("/sessions/{sid}/cancel", cancel_session),
    _change("/sessions/{sid}/pause", pause_session),
    _change("/sessions/{sid}/resume", resume_session),
    _change("/sessions/{sid}/priority", set_priority),
    _change("/sessions/{sid}/retry", retry_jobs),
    _change("/sessions/{sid}/reduce", reduce_again),
    _change("/sessions/{sid}/resubmit", resubmit_session, status=201),
    _change("/sessions/{sid}", delete_session),
)
