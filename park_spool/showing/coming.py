"""What was sent and is not in the archive: what waits in the inbox, is being admitted, or was rejected lately.

Cheap: inbox/, sessions/ and rejected/ are listed, never sessions/closed/, which may hold many thousands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from park_spool import admitted, layout, naming, senders
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import ParkError
from park_spool.looking import calling
from park_spool.tending import begun

MOST_COMING = 200
MOST_REJECTED = 20
MOST_LOOKED_AT = 2000  # names in rejected/
LATELY = 7 * 86400.0
MOST_REASON = 4000  # characters

Known = Callable[[Collection[str]], set[str]]


@dataclass(frozen=True, slots=True)
class Coming:
    """A session that the archive does not know; `sid` is empty where its sender left that to park-spoold.

    `place`: `inbox`, `admitting`, `admitted` (the reducer takes it in within seconds) or `executor`, whose calls are
    in no archive. `jobs` and `done` are None while nobody knows.
    """

    sid: str
    file: str
    user: str
    place: Literal["inbox", "admitting", "admitted", "executor"]
    at: float | None
    jobs: int | None = None
    done: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A submission that was put aside; `reason` is what rejected/NAME.why says, `name` the NAME."""

    name: str
    user: str
    at: float
    reason: str


def coming(settings: Config, disk: Disk, known: Known, owner: str = "") -> tuple[Coming, ...]:
    """Return what is on its way, the newest first; only what is `owner`'s if that is given."""
    found = [*_in_inbox(settings, disk), *_in_sessions(settings, disk, known)]
    several = [one for one in found if owner in ("", one.user)]
    return tuple(sorted(several, key=lambda one: (one.at or 0.0, one.sid), reverse=True)[:MOST_COMING])


def _in_inbox(settings: Config, disk: Disk) -> Iterator[Coming]:
    inbox = settings.layout.inbox
    for name in disk.names(inbox)[:MOST_COMING]:
        sid, file = naming.split_submitted(name)
        user, at = _sender(settings, disk, inbox / name)
        yield Coming(sid or "", file, user, "inbox", at)


def _in_sessions(settings: Config, disk: Disk, known: Known) -> Iterator[Coming]:
    names = {name for name in disk.names(settings.layout.sessions, hidden=True) if naming.is_sid(name.lstrip("."))}
    open_ones = {name for name in names if not name.startswith(".")}
    for sid in sorted(open_ones - known(open_ones), reverse=True)[:MOST_COMING]:
        one = _admitted(settings, disk, sid)
        if one is not None:
            yield one
    for name in sorted(names - open_ones)[:MOST_COMING]:
        stat = disk.stat(settings.layout.sessions / name)
        user = begun.owner_of(disk, settings.layout.sessions / name, settings.layout.root)
        yield Coming(name[1:], "", user, "admitting", None if stat is None else stat.st_mtime)


def _admitted(settings: Config, disk: Disk, sid: str) -> Coming | None:
    """Tell of an open session out of its session.json; None if it has gone, or is broken (`park check` says how)."""
    try:
        data = disk.read(layout.session_json(settings.layout.session(sid)))
        one = None if data is None else admitted.decode(data)
    except ParkError:
        return None
    if one is None:
        return None
    if one.session.grows:
        name = one.session.attributes.get("name") or one.file
        return Coming(sid, name, one.user, "executor", one.received, *calling.counts(disk, settings.layout, sid))
    return Coming(sid, one.file, one.user, "admitted", one.received, sum(one.session.sizes().values()))


def rejected(
    settings: Config, disk: Disk, owner: str = "", wall: Callable[[], float] = time.time
) -> tuple[Rejected, ...]:
    """Return what was rejected lately, the newest first; only what is `owner`'s if that is given."""
    folder = settings.layout.rejected
    found: list[Rejected] = []
    for why in [name for name in disk.names(folder) if name.endswith(naming.WHY)][:MOST_LOOKED_AT]:
        name = why.removesuffix(naming.WHY)
        stat, (user, _) = disk.stat(folder / why), _sender(settings, disk, folder / name)
        if stat is not None and wall() - stat.st_mtime < LATELY and owner in ("", user):
            found.append(Rejected(name, user, stat.st_mtime, why))
    newest = sorted(found, key=lambda one: one.at, reverse=True)[:MOST_REJECTED]
    return tuple(Rejected(one.name, one.user, one.at, _reason(disk, folder / one.reason)) for one in newest)


def _reason(disk: Disk, path: Path) -> str:
    return (disk.read(path) or b"").decode(errors="replace").strip()[:MOST_REASON]


def _sender(settings: Config, disk: Disk, path: Path) -> tuple[str, float | None]:
    """Return whose a name in inbox/ or rejected/ is, and its time; nothing where it has gone."""
    stat = disk.stat(path)
    if stat is None:
        return "", None
    return senders.sender(disk, path, settings.layout.root), stat.st_mtime
