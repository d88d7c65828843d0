"""Replies reduced and archived: jobs a second of a real park-reduced, beside a plain executemany into one table.

park-reduced gets replies of 5,000 no-op jobs each, all at once: it checks their seals, counts every job once,
keeps sums, and bundles the replies for good. executemany gets the same values as tuples that are ready, in
transactions of 20,000 rows with the archive's journal and synchronous mode, and does nothing else.

Peak memory is that of a park-reduced whose replies each say a chisq, with `Stats` as their reducer: it must not grow with
their number.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from figures import Measure, Part, Target
from spools import Spool, running, session

from park_spool import naming, replies
from park_spool.naming import Unit
from park_spool.running.assignment import Outcome, result_line

UNIT, BATCH = 5000, 20_000
ALL, A_TENTH = "peak memory", "peak memory, a tenth of them"
NODE = "benchmark_1_abcdef"
TABLE = """CREATE TABLE jobs (sid TEXT, group_number INTEGER, joblist_number INTEGER, job_number INTEGER, status TEXT,
attempt INTEGER, node TEXT, started REAL, seconds REAL, output TEXT)"""


@contextmanager
def part(most: int) -> Iterator[Part]:
    measures = [
        Measure("park-reduced", lambda: most / reduced(most), most),
        Measure("executemany", lambda: most / executemany(most), most),
        Measure(A_TENTH, lambda: peak(most // 10), most // 10, "MB"),
        Measure(ALL, lambda: peak(most), most, "MB"),
    ]
    targets = [Target("park-reduced", least=0.25, against="executemany"), Target(ALL, most=1.25, against=A_TENTH)]
    yield Part("Replies reduced and archived", measures, targets)


def reduced(jobs: int) -> float:
    """Return the seconds from the first reply in its place until the archive has all jobs."""
    with admitted(session("tester/noop", jobs)) as spool:
        ready = list(written(spool, jobs, "{}"))
        begin = time.perf_counter()
        for path in ready:
            path.rename(spool.folder / "replies" / path.name)
        spool.wait_for(jobs)
        return time.perf_counter() - begin


def peak(jobs: int) -> float:
    """Return the most memory that a park-reduced has taken, in MB, once the archive has all jobs."""
    text = session("tester/noop", jobs).replace("<task", "<reduce classname='Stats'/><task")
    with admitted(text) as spool:
        for path in written(spool, jobs, '{"chisq": 966.193, "npoints": 408, "dof": 399}'):
            path.rename(spool.folder / "replies" / path.name)
        spool.wait_for(jobs)
        status = Path(f"/proc/{spool.daemons['reduced'].pid}/status").read_text()
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1000


@contextmanager
def admitted(text: str) -> Iterator[Spool]:
    """Give a spool with a session and nobody but park-reduced at work."""
    with running(daemons=("spoold", "reduced")) as spool:
        spool.submit(text)
        spool.await_so(lambda: bool(spool.query("SELECT 1 FROM sessions")))
        spool.stop("spoold")
        yield spool


def written(spool: Spool, jobs: int, output: str) -> Iterator[Path]:
    """Write the replies of a node that did everything, beside the spool."""
    (sid,) = (path.name for path in (spool.folder / "sessions").iterdir() if path.name != "closed")
    for start in range(1, jobs + 1, UNIT):
        unit = Unit(sid, 1, 1, start, min(start + UNIT, jobs + 1))
        lines = [result_line(job, time.time(), 1e-5, Outcome("ok", output)) for job in range(unit.start, unit.stop)]
        path = spool.folder.parent / naming.reply_name(unit, NODE)
        path.write_bytes(replies.encode(unit, NODE, {}, lines))
        yield path


def executemany(jobs: int) -> float:
    rows = [("sid", 1, 1, job, "ok", 0, NODE, time.time(), 1e-5, "{}") for job in range(1, jobs + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder,
        closing(sqlite3.connect(Path(folder) / "plain.sqlite", isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = normal")
        connection.execute(TABLE)
        begin = time.perf_counter()
        for start in range(0, jobs, BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO jobs VALUES ({','.join('?' * 10)})", rows[start : start + BATCH])
            connection.execute("COMMIT")
        return time.perf_counter() - begin
