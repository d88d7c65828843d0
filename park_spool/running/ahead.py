"""Fetching ahead: the data that this node will need next come while its present units run.

    node ──▶ [SESSION_JSON, GROUP, JOBLIST, START, STOP], a line each ──▶ park_spool.running.ahead SPOOL CACHE

A hint, nothing more: what is not fetched ahead is fetched by the worker that needs it, under the same lock of the
cache, so nothing comes twice. What cannot be had is the worker's to say.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from park_spool import admitted, config
from park_spool.errors import ParkError
from park_spool.naming import Unit
from park_spool.processes import set_parent_death_signal
from park_spool.sessions.data import may_be_far, refs_of
from park_spool.sessions.session import DataRef, Session

MOST_JOBS = 100  # of one hint


class Ahead:
    """The node's end: `hint` never waits, and never fails."""

    def __init__(self, spool: Path, cache: Path) -> None:
        self._spool, self._cache = spool, cache
        self._child: subprocess.Popen[bytes] | None = None

    def hint(self, session_json: Path, unit: Unit, slots: int) -> None:
        """Say which unit begins here: those that follow it are likely to be next."""
        last = unit.stop + min(unit.size * slots, MOST_JOBS)
        line = json.dumps([str(session_json), unit.group, unit.joblist, unit.stop, last]).encode() + b"\n"
        with suppress(OSError):  # it is busy, or died: the next hint starts another
            os.write(self._pipe(), line)

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _pipe(self) -> int:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if self._child is None:
            command = [sys.executable, "-P", "-m", "park_spool.running.ahead", str(self._spool), str(self._cache)]
            quiet = subprocess.DEVNULL
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, process_group=0)
            assert self._child.stdin is not None
            os.set_blocking(self._child.stdin.fileno(), False)
        assert self._child.stdin is not None
        return self._child.stdin.fileno()


def remote(session: Session, group: int, joblist: int, start: int, stop: int) -> Iterator[DataRef]:
    """Yield the data of sources that some jobs of a job list read, each once; of jobs that there are."""
    jobs = session.groups[group - 1].joblists[joblist - 1]
    seen: set[str] = set()
    for job in range(start, min(stop, jobs.size + 1)):
        for ref in refs_of(jobs.input(job), session.groups[group - 1].data):
            if may_be_far(ref.href) and ref.href not in seen:
                seen.add(ref.href)
                yield ref


def bring(spool: Path, cache: Path, line: str) -> None:
    """Fetch what one hint is about; what cannot be had is left to who needs it."""
    from park_spool.fetch import Fetcher

    words = json.loads(line)
    found = admitted.decode(Path(words[0]).read_bytes())
    fetch = Fetcher.for_session(config.load(spool), found, cache)
    for ref in remote(found.session, *words[1:]):
        with suppress(ParkError, OSError):
            fetch(ref)


def main() -> None:
    """Serve hints until the node is gone."""
    set_parent_death_signal(signal.SIGKILL, os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the node's terminal is the node's to understand
    spool, cache = (Path(word) for word in sys.argv[1:3])
    for line in sys.stdin:
        with suppress(ParkError, OSError, ValueError, KeyError, IndexError):
            bring(spool, cache, line)


if __name__ == "__main__":
    main()
