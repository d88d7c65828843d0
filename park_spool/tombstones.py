"""What stands in `sessions/closed/SID.deleted`: who had a session deleted, and whether it was one of calls.

A session of calls leaves no row in the archive, and its tombstone goes after an hour (PROTOCOL.md section 12).
"""

from __future__ import annotations

import json

from park_spool.atomic import Disk
from park_spool.layout import Layout

CALLS = "calls"


def is_of_calls(disk: Disk, spool: Layout, sid: str) -> bool:
    """Say whether the tombstone of a session says that it was an executor's."""
    try:
        fields = json.loads(disk.read(spool.tombstone(sid)) or b"{}")
    except ValueError:
        return False
    return isinstance(fields, dict) and fields.get(CALLS) is True
