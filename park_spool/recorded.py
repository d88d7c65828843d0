"""A session as it was understood at its admission: from its folder on the spool, else from the archive.

An archive may be looked at without its spool (a copy), and outlives what is pruned there.
"""

from __future__ import annotations

import json
from pathlib import Path

from park_spool import admitted
from park_spool.admitted import Admitted
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.errors import NotFound
from park_spool.layout import Layout
from park_spool.sessions.session import Session

MAX_ATTEMPTS = 3  # nothing of it runs any more


def find(disk: Disk, spool: Layout, reader: ArchiveReader | None, sid: str) -> tuple[Path | None, Admitted] | None:
    """Return a session with its folder, None for the folder if it is in the archive alone; None if it is nowhere."""
    found = admitted.find(disk, spool, sid)
    if found is not None or reader is None:
        return found
    try:
        row = reader.session(sid)
        record = json.loads(reader.session_json(sid))
        session = Session.from_json(record.get("session", record))
    except (NotFound, ValueError, KeyError, TypeError, AttributeError):
        return None  # of an archive that an older version wrote, or of a session that was deleted
    return None, Admitted(sid, row.file, row.user, row.received, MAX_ATTEMPTS, session)
