"""How far an executor is, for people: by what its asker says of itself in `calls/SID/alive.SEQ`."""

from __future__ import annotations

from park_spool import naming, sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.layout import Layout
from park_spool.looking.reports import number


def counts(disk: Disk, spool: Layout, sid: str) -> tuple[int, int]:
    """Return how many calls were made, and how many of them need nothing more; none where nobody says so."""
    folder = spool.calls(sid)
    newest = max((naming.parse_alive(name) or 0 for name in disk.names(folder)), default=0)
    # RACE: the asker may have replaced it since the listing; the next one stands before this one goes.
    for seq in (newest, newest + 1):
        data = disk.read(folder / naming.alive_name(seq))
        try:
            said = sealed.unseal_json(data) if data is not None else {}
        except TornError:
            continue
        if said:
            return int(number(said.get("made")) or 0), int(number(said.get("done")) or 0)
    return 0, 0
