"""Where the sessions of a spool are, by names alone; and which session a user means by the beginning of an id.

Light, and without the archive: `park status` asks this and must start at once.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from park_spool import naming, wishes
from park_spool.atomic import Disk
from park_spool.errors import NotFound
from park_spool.layout import Layout

Place = Literal["inbox", "admitting", "open", "closed", "deleted"]


def places(disk: Disk, spool: Layout) -> dict[str, Place]:
    """Say where each session of a spool is. Looks in the order of movement, so that none is missed on its way."""
    found: dict[str, Place] = dict.fromkeys(in_inbox(disk, spool), "inbox")
    for name in disk.names(spool.sessions, hidden=True):
        if naming.is_sid(name.removeprefix(".")):
            found[name.removeprefix(".")] = "admitting" if name.startswith(".") else "open"
    closed = disk.names(spool.closed)
    found.update({sid: "closed" for sid in closed if naming.is_sid(sid)})
    found.update({sid: "deleted" for sid in map(wishes.parse_tombstone, closed) if sid is not None})
    return found


def place_of(disk: Disk, spool: Layout, sid: str) -> Place | None:
    """Say where one session is, without listing what is closed. Looks in the order of movement, as `places` does.

    A closed session that is opened again meanwhile is looked for once more.
    """
    if not naming.is_sid(sid):
        return None
    if sid in in_inbox(disk, spool):
        return "inbox"
    for path, place in _standing(spool, sid):
        if disk.kind(path) is not None:
            return place
    return "open" if disk.kind(spool.session(sid)) is not None else None


def _standing(spool: Layout, sid: str) -> list[tuple[Path, Place]]:
    return [
        (spool.admitting(sid), "admitting"),
        (spool.session(sid), "open"),
        (spool.closed_session(sid), "closed"),
        (spool.tombstone(sid), "deleted"),
    ]


def in_inbox(disk: Disk, spool: Layout) -> dict[str, str]:
    """Return the session ids that senders chose for what still lies in the inbox, with the names of their files."""
    pairs = (naming.split_submitted(name) for name in disk.names(spool.inbox))
    return {sid: file for sid, file in pairs if sid is not None}


def folder_of(spool: Layout, sid: str, place: Place | None) -> Path | None:
    """Return the folder of an admitted session; None where there is none (any more, or yet)."""
    return {"open": spool.session(sid), "closed": spool.closed_session(sid)}.get(place or "")


def complete(prefix: str, sids: Collection[str]) -> str:
    """Return the session id that a prefix means. Raises NotFound if there is none, or more than one.

    >>> complete("2026", ["20261123-025532-k3j9"])
    '20261123-025532-k3j9'
    """
    found = sorted(sid for sid in sids if sid.startswith(prefix))
    if prefix in found:
        return prefix
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"no session begins with {prefix!r}; `park status` lists those that there are")
    names = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")
    raise NotFound(f"{prefix!r} begins the names of several sessions ({names}); give more of it")


def rejection(disk: Disk, spool: Layout, sid: str) -> str | None:
    """Return the reason why a session was rejected; None if none that names it lies in rejected/."""
    for name in disk.names(spool.rejected):
        reason = (disk.read(spool.rejected / name) or b"").decode(errors="replace") if name.endswith(naming.WHY) else ""
        if sid in reason:
            return reason.strip()
    return None
