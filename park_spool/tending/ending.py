"""How a session ends: closed when nothing of it is to be run any more, or buried when its user had it deleted.

    sessions/SID ──rename──► sessions/closed/SID                              at that instant it is closed
    SID.deleted, then sessions/SID ──rename──► tmp/ ──► removed               at the first instant it is deleted

Two spoolds may do either at once: each rename is won once, and each removal finds gone what the other removed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from park_spool import survey
from park_spool.admitted import Admitted
from park_spool.member import Member
from park_spool.tending.open_sessions import OpenSession
from park_spool.tombstones import CALLS

log = logging.getLogger(__name__)


def withdraw(member: Member, is_unwanted: Callable[[str], bool]) -> None:
    """Remove the units of unwanted sessions from ready/."""
    for rank, unit in survey.ready(member.disk, member.layout):
        if is_unwanted(unit.sid):
            member.disk.unlink(member.layout.ready / rank / unit.name)


def close(member: Member, opened: OpenSession, why: str) -> bool:
    """Close a session; False if something was said of it at the last moment, and it is open again."""
    sid, disk, spool = opened.sid, member.disk, member.layout
    withdraw(member, lambda other: other == sid)
    disk.move(spool.session(sid), spool.closed_session(sid))  # at this instant it is closed
    # RACE: who said something between our last look and the rename does not know that nobody will look there again.
    if not opened.has_heard(disk.names(spool.closed_session(sid))):
        disk.move(spool.closed_session(sid), spool.session(sid))
        return False
    log.info("closed session %s: %s", sid, why)
    return True


def bury(member: Member, session: Admitted) -> None:
    """Delete a session: the tombstone first, so that whoever finds half of it left goes on."""
    if member.disk.kind(member.layout.tombstone(session.sid)) is None:
        known = {"user": session.user, "file": session.file, "received": session.received, "at": member.wall()}
        known |= {CALLS: True} if session.session.grows else {}
        words = json.dumps(known, ensure_ascii=False).encode() + b"\n"
        # At this instant it is deleted.
        member.disk.publish(member.layout.tombstone(session.sid), words, durable=True)
    clear_away(member, session.sid)
    log.info("deleted session %s", session.sid)


def clear_away(member: Member, sid: str) -> None:
    """Remove what spoold answers for of a session whose tombstone stands."""
    disk, spool = member.disk, member.layout
    disk.sync(spool.closed)  # CRASH: who made the tombstone may have died before it was durable
    disk.remove_tree(spool.kept(sid))
    disk.remove_tree(spool.calls(sid))
    grave = spool.tmp / f"{member.name}.{sid}"
    # RACE: another spoold that knew only of a cancel may have closed it.
    for folder in (spool.session(sid), spool.closed_session(sid)):
        disk.move(folder, grave)
        disk.remove_tree(grave)
