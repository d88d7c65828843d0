"""What controls and tombstones say of themselves: who, and when. For people: what cannot be read is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from park_spool import naming, wishes
from park_spool.member import Member


class Note(msgspec.Struct, frozen=True):
    """The fields that matter here; `at` and `received` are Unix times, `group` is the one for which `why` is said."""

    at: float | None = None
    by: str = ""
    why: str = ""
    group: int = 1
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


def of_end(member: Member, folder: Path, names: list[str]) -> Note:
    """Return what was said when a session was first cancelled or deleted: when, as its user's clock had it, and why."""
    said = sorted(one for one in map(wishes.parse_control, names) if one and one.verb in ("cancel", "delete"))
    return read(member.disk.read(folder / said[0].name)) if said else Note()


def of_tombstone(member: Member, sid: str) -> dict[str, Any]:
    """Return what is known of a deleted session of which nothing else is left."""
    note = read(member.disk.read(member.layout.tombstone(sid)))
    return {
        "user": note.user,
        "file": note.file,
        "received": naming.sid_time(sid) if note.received is None else note.received,
        "at": member.wall() if note.at is None else note.at,
    }
