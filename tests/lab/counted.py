"""Print as JSON what an archive says of each session: `counted.py ARCHIVE`, run on the host whose archive it is.

SID → {"state", "jobs": rows of jobs, "distinct": different jobs, "ok", "ranges": jobs in final ranges, "duplicates",
"hosts": whose results count}.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

SUMS = """SELECT sid, count(*), count(DISTINCT group_number || '.' || joblist_number || '.' || job_number), sum(status = 'ok')
FROM jobs GROUP BY sid"""
RANGES = "SELECT sid, sum(stop - start) FROM final_ranges GROUP BY sid"
DUPLICATES = "SELECT sid, sum(duplicates) FROM joblists GROUP BY sid"

NODES = "SELECT DISTINCT sid, node FROM jobs"


def counted(archive: Path) -> dict[str, dict[str, object]]:
    """Read the sums of every session; nothing where there is no archive yet."""
    if not archive.exists():
        return {}
    with closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            states = dict(connection.execute("SELECT sid, state FROM sessions").fetchall())
            sums = {sid: row for sid, *row in connection.execute(SUMS).fetchall()}
            ranges = dict(connection.execute(RANGES).fetchall())
            duplicates = dict(connection.execute(DUPLICATES).fetchall())
            nodes = connection.execute(NODES).fetchall()
        except sqlite3.OperationalError:  # its tables are being made
            return {}
    found = {}
    for sid, state in states.items():
        jobs, distinct, fine = sums.get(sid, (0, 0, 0))
        known: dict[str, object] = {"state": state, "jobs": jobs, "distinct": distinct, "ok": fine}
        known |= {"ranges": ranges.get(sid, 0), "duplicates": duplicates.get(sid, 0)}
        found[sid] = {**known, "hosts": sorted({node.split("_")[0] for one, node in nodes if one == sid})}
    return found


if __name__ == "__main__":
    print(json.dumps(counted(Path(sys.argv[1]).expanduser())))
