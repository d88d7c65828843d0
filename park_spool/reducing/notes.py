"""What controls, retries, notices and tombstones say of themselves: who, and when. What cannot be read is absent."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from park_spool import intervals, naming, wishes
from park_spool.member import Member
from park_spool.retries import Jobs


class Origin(msgspec.Struct, frozen=True):
    """From which fit start values come."""

    sid: str
    job: str

    @property
    def name(self) -> str:
        return f"job {self.job} of {self.sid}"


class Note(msgspec.Struct, frozen=True):
    """The fields that matter here; `at` and `received` are Unix times, `group` is the one for which `why` is said."""

    at: float | None = None
    by: str = ""
    outcome: str = ""
    why: str = ""
    origin: Origin | None = msgspec.field(default=None, name="from")
    user: str = ""
    file: str = ""
    received: float | None = None


def read(data: bytes | None) -> Note:
    """Read the first line of a note, sealed or not.

    >>> read(b'{"by": "wei", "at": 5}').at, read(b"[").at, read(None).user
    (5.0, None, '')
    """
    try:
        return msgspec.convert(json.loads((data or b"").partition(b"\n")[0]), Note)
    except (ValueError, RecursionError):
        return Note()


class Event(NamedTuple):
    """What happened to a session, from the name `key` in its folder; `at` is None where its file does not say."""

    key: str
    at: float | None
    what: str
    who: str
    detail: str


def events(
    member: Member, folder: Path, names: Iterable[str], known: Collection[str], named: Mapping[str, Jobs]
) -> Iterator[Event]:
    """Read what the names in a session's folder tell of it, but for those that are `known`.

    `named` are the jobs that each retry names.
    """
    for name in names:
        told = None if name in known else what_happened(name, named)
        if told is not None:
            note = read(member.disk.read(folder / name))
            detail = note.outcome or note.why or told[1]
            yield Event(name, note.at, told[0], note.by, detail + (f" from {note.origin.name}" if note.origin else ""))


def what_happened(name: str, named: Mapping[str, Jobs]) -> tuple[str, str] | None:
    """Say what a name in a session's folder tells of it, and the detail; None if nothing.

    >>> what_happened("control.000000001.x0p2qa.priority.-5", {}), what_happened("session.json", {})
    (('priority', '-5'), None)
    >>> what_happened("told.000001.done.mail", {}), what_happened("start.002.000.000000000", {})
    (('told done', 'mail'), ('start', 'group 2'))
    >>> what_happened("retry.01.x0p2qa", {"retry.01.x0p2qa": {(1, 1): [(3, 5)], (2, 1): [(1, 2)]}})
    ('retry', 'round 1, 3 jobs')
    """
    control, round_ = wishes.parse_control(name), wishes.parse_retry(name)
    if start := naming.parse_start(name):
        return None if start.job else ("start", f"group {start.group}")
    if control is not None:
        return control.verb, "" if control.argument is None else str(control.argument)
    if told := wishes.parse_told(name):
        return f"told {told.event}", told.channel
    if round_ is None:
        return None
    jobs = sum(map(intervals.total, named.get(name, {}).values()))
    return "retry", f"round {round_}, {jobs} job{'' if jobs == 1 else 's'}"


def stopped_at(member: Member, folder: Path, names: list[str]) -> float | None:
    """Return when a session was first cancelled or deleted, as its user's clock had it; None if it was not."""
    said = sorted(one for one in map(wishes.parse_control, names) if one and one.verb in ("cancel", "delete"))
    return read(member.disk.read(folder / said[0].name)).at if said else None


def of_tombstone(member: Member, sid: str) -> dict[str, Any]:
    """Return what is known of a deleted session of which nothing else is left."""
    note = read(member.disk.read(member.layout.tombstone(sid)))
    return {
        "user": note.user,
        "file": note.file,
        "received": naming.sid_time(sid) if note.received is None else note.received,
        "at": member.wall() if note.at is None else note.at,
    }
