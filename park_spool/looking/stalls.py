"""Why a session does not go on, in sentences: what users said, who is missing, what its tasks want."""

from __future__ import annotations

from park_spool import cluster, naming, whereabouts
from park_spool.looking.alive import ADVICE, Crew
from park_spool.looking.standing import Look, Standing
from park_spool.starts import starts_in, waits_of
from park_spool.waiting_reasons import NO_NODE, why_waiting


def reasons(look: Look, one: Standing, crew: Crew) -> list[str]:
    """Say why nothing more of an open session is started; nothing where only other work is before it."""
    found = crew.missing()
    if one.jobs is None:
        return [*found, _in_inbox(look, one.sid)]
    session, said = look.admitted(one.sid), look.said(one.sid)
    if session is None:
        return found
    nodes = cluster.add_up({str(node.get("node")): node for node in crew.nodes})
    replies = len(look.disk.names(look.settings.layout.replies))
    starts = starts_in(look.disk.names(look.settings.layout.session(one.sid)))
    unknown = {sid for sid in waits_of(session.session).sids if not look.knows(sid)}
    why = why_waiting(session, said, nodes, replies, look.settings.max_replies, starts, unknown)
    is_said_already = why == NO_NODE and ADVICE["nodes"] in found
    return found if why is None or is_said_already else [why, *found]


def _in_inbox(look: Look, sid: str) -> str:
    """Say why a session is not admitted: what spoold asks for can be read in the session itself."""
    from park_spool.tending import peeking  # of all that is looked at here only this is parsed

    disk, spool = look.disk, look.settings.layout
    file = whereabouts.in_inbox(disk, spool).get(sid)
    found = None if file is None else peeking.session_of(disk, spool.inbox / naming.submitted_name(sid, file))
    patterns = [] if found is None else peeking.patterns(found[0])
    if not patterns:
        return "it lies in the inbox and is not admitted yet"
    more = " and others stand" if len(patterns) > 1 else " stands"
    return (
        "it lies in the inbox and is not admitted yet: it waits until it is known which files "
        f"{patterns[0]}{more} for; if that takes long, the log of park-spoold says why"
    )
