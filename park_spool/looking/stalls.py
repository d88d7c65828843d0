"""Why a session does not go on, in sentences: what users said, who is missing, what its tasks want."""

from __future__ import annotations

from park_spool import cluster
from park_spool.looking.alive import ADVICE, Crew
from park_spool.looking.standing import Look, Standing
from park_spool.starts import starts_in, waits_of
from park_spool.waiting_reasons import NO_NODE, why_waiting


def reasons(look: Look, one: Standing, crew: Crew) -> list[str]:
    """Say why nothing more of an open session is started; nothing where only other work is before it."""
    found = crew.missing()
    if one.jobs is None:
        return [*found, "it lies in the inbox and is not admitted yet"]
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
