"""A node process whose jobs only note that they ran: `claimer.py SPOOL NOTES [SECONDS]`.

Ends when nothing is left, or when killed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from park_spool import config, member
from park_spool.naming import parse_unit
from park_spool.running.assignment import Assignment
from park_spool.running.node import Node


class Noting:
    """Write the unit's name as one line, then answer every job of it."""

    def __init__(self, notes: Path) -> None:
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._unit = ""

    def start(self, assignment: Assignment) -> None:
        self._unit = assignment.unit
        os.write(self._notes, f"{self._unit}\n".encode())

    def poll(self, now: float) -> list[bytes] | None:
        unit = parse_unit(self._unit)
        if unit is None:
            return None
        self._unit = ""
        fields = {"status": "ok", "started": 5000.0, "seconds": 0.0, "output": ""}
        return [json.dumps({"job": job, **fields}).encode() + b"\n" for job in range(unit.start, unit.stop)]

    def kill(self) -> None:
        self._unit = ""


def main(spool: Path, notes: Path, patience: float) -> None:
    settings = config.load(spool)
    node = Node(member.join(settings), [Noting(notes)], scratch=notes.parent)
    node.step()
    print("ready", flush=True)
    sys.stdin.readline()
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < patience:
        try:
            did = node.step()
        except OSError as error:  # what the daemon's loop would catch
            print(f"{error}", file=sys.stderr)
            did = True
        if did:
            idle_since = time.monotonic()
        else:
            time.sleep(0.002)  # a claimer that finds nothing looks again a little later, as the daemon does
    node.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
