"""What the page asks of an archive of several thousand sessions and ten million jobs, in milliseconds a question.

The file is made by SQL alone, within the schema of today and consistent (`park archive check` finds nothing wrong): one
session of four million fits, one of two million jobs that say nothing, a batch of two thousand data sets, and four
thousand sessions as people send them. Each question is asked anew, on a connection of its own, as the page asks it.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from figures import Measure, Part, Target

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import Wanted
from park_spool.archive.writing import Archive

MOST = 50.0  # ms
TIMES = 5  # a value is the median of so many
RECEIVED = 1_795_402_500.0
HUGE, QUIET, BATCH = "20260101-000000-huge", "20260101-000001-quie", "20260101-000002-batc"
DATASETS, STARTS = 2000, 50
FITS, NOOPS, SESSIONS, EACH = 4_000_000, 2_000_000, 4000, 950
JOBS = FITS + NOOPS + DATASETS * STARTS + SESSIONS * EACH

# Job n of a list is an improvement if n is a power of two; every 97th of a usual session fails.
_LISTS = f"""
CREATE TEMP TABLE sizes (sid TEXT, jobs INTEGER, kind TEXT);
INSERT INTO sizes VALUES ('{HUGE}', {FITS}, 'fit'), ('{QUIET}', {NOOPS}, 'noop'), ('{BATCH}', {DATASETS * STARTS}, 'batch');
INSERT INTO sizes SELECT strftime('20260201-%H%M%S', n, 'unixepoch') || '-' || printf('%04d', n), {EACH}, 'usual'
  FROM numbers WHERE n < {SESSIONS};
INSERT INTO sessions SELECT sid, 'user' || (rowid % 40), '', 'file' || rowid || '.xml', 0,
  CASE WHEN kind = 'usual' THEN 'failed' ELSE 'done' END, {RECEIVED} + rowid, {RECEIVED} + rowid + jobs,
  '{{"groups": []}}' || printf('%2000s', ''), '<session/>' FROM sizes ORDER BY sid;
INSERT INTO groups SELECT sid, 1, 'group of ' || kind, 'reflectivity/' || kind, NULL, NULL FROM sizes ORDER BY sid;
"""
_CHISQ = "CASE WHEN n & (n - 1) = 0 THEN 3000.0 - 100 * length(printf('%x', n)) - 0.0001 * n / (n + 1.0) - n * 1e-7 ELSE 5000.0 + n * 7919 % 100003 / 10.0 END"
_JOBS = f"""
INSERT INTO jobs
SELECT sid, 1, 1, n, CASE WHEN kind = 'usual' AND n % 97 = 0 THEN 'failed' ELSE 'ok' END, 0,
  CASE WHEN kind = 'usual' AND n % 97 = 0 THEN 2 ELSE 0 END, 'n' || (n % 8) || '_1_aaaaaa',
  {RECEIVED} + n, 0.5, {RECEIVED} + n + 0.5,
  CASE WHEN kind <> 'noop' AND NOT (kind = 'usual' AND n % 97 = 0) THEN {_CHISQ} END, 408, 399, NULL, n,
  CASE WHEN kind = 'batch' THEN 'frame' || printf('%04d', n % {DATASETS}) END, 0
FROM sizes CROSS JOIN numbers ON n BETWEEN 1 AND jobs ORDER BY sid, n;
INSERT INTO joblists SELECT sid, 1, 1, 'starts', 0, count(*), count(*) FILTER (WHERE status = 'ok'),
  count(*) FILTER (WHERE status <> 'ok'), 0, min(started), max(finished) FROM jobs GROUP BY sid;
INSERT INTO final_ranges SELECT sid, 1, 1, 1, jobs + 1 FROM joblists;
INSERT INTO history SELECT sid, 1, finished, 1, job_number, chisq FROM jobs WHERE chisq < 3000;
INSERT INTO results (sid, group_number, joblist_number, job_number, output, why)
SELECT sid, 1, 1, job_number,
  CASE WHEN status <> 'ok' THEN '' WHEN chisq < 3000 THEN (SELECT text FROM curve)
    WHEN dataset IS NOT NULL THEN '{{"parameters": [{{"name": "film", "value": 1.5, "error": 0.5}}]}}'
    ELSE '{{"chisq": ' || chisq || '}}' END,
  CASE WHEN status <> 'ok' THEN 'exited with status 3: it did not converge' END
FROM jobs WHERE chisq IS NOT NULL OR status <> 'ok';
INSERT INTO parameters SELECT sid, 1, 1, job_number, place, name, 1.5, 0.5, NULL, NULL, NULL, NULL FROM jobs
  CROSS JOIN (SELECT key + 1 AS place, value AS name FROM json_each('["film"]'))
  WHERE dataset IS NOT NULL AND chisq >= 3000;
INSERT INTO messages SELECT sid, 1, n, {RECEIVED} + n, 'message ' || n FROM sizes CROSS JOIN numbers
  ON n BETWEEN 1 AND min(jobs, CASE WHEN kind = 'usual' THEN 20 ELSE 100000 END);
INSERT INTO events SELECT sid, 'admitted', received, 'admitted', user, file FROM sessions;
INSERT INTO nodes SELECT 'n' || n || '_1_aaaaaa', 'n' || n, 2, 'idle', {RECEIVED}, 0, '{{}}' FROM numbers WHERE n < 8;
"""
_NUMBERS = f"""
CREATE TEMP TABLE digits AS SELECT value AS d FROM json_each('[{",".join(map(str, range(2000)))}]');
CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY);
INSERT INTO numbers SELECT a.d * 2000 + b.d FROM digits a, digits b WHERE a.d * 2000 + b.d <= {FITS};
CREATE TEMP TABLE curve AS SELECT json_object('parameters', json('[]'), 'curve', json_object('x', json_group_array(d / 1000.0),
  'y', json_group_array(1.0 / (d + 1)), 'dy', json_group_array(0.01), 'model', json_group_array(1.0 / (d + 1)))) AS text
  FROM digits WHERE d < 408;
"""


@contextmanager
def part(most: int) -> Iterator[Part]:
    """Make the archive, whatever `most` says: a small one would prove nothing."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder:
        path = Path(folder) / "park.sqlite"
        begin = time.perf_counter()
        make(path)
        size = f"{path.stat().st_size / 1e9:.1f} GB, made in {time.perf_counter() - begin:.0f} s"
        questions = asked(ArchiveReader(path))
        measures = [Measure(name, timed(ask), JOBS, "ms") for name, ask in questions.items()]
        targets = [Target(name, most=MOST) for name in questions]
        title = f"An archive of {SESSIONS + 3:,} sessions and {JOBS:,} jobs"
        yield Part(title, measures, targets, [size])


def make(path: Path) -> None:
    """Fill an archive by SQL; its indices are made at the end, which is quicker."""
    Archive.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -200000", "temp_store = file"):
            connection.execute(f"PRAGMA {pragma}")
        indices = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%'"
        ).fetchall()
        for name, _ in indices:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("BEGIN")
        for statement in (_NUMBERS + _LISTS + _JOBS).split(";\n"):
            begin = time.perf_counter()
            connection.execute(statement)
            told(statement, begin)
        for name, sql in indices:
            begin = time.perf_counter()
            connection.execute(sql)
            told(f"index {name}", begin)
        connection.execute("COMMIT")


def told(statement: str, begin: float) -> None:
    """Say on standard error what takes long."""
    if time.perf_counter() - begin > 2:
        print(f"  {' '.join(statement.split()[:3])}: {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)


def asked(reader: ArchiveReader) -> dict[str, Callable[[], object]]:
    """Return what the page asks, by name."""
    usual = reader.sessions(1)[0].sid
    return {
        "sessions, first page": lambda: reader.sessions(50),
        "sessions, a late page": lambda: reader.sessions(50, 3900),
        "sessions of a user": lambda: reader.sessions(50, 0, Wanted(user="user7")),
        "sessions that failed": lambda: reader.sessions(50, 0, Wanted(state="failed")),
        "sessions with a word": lambda: reader.sessions(50, 0, Wanted(text="file3999")),
        "sessions with a word nobody has": lambda: reader.sessions(50, 0, Wanted(text="nothing")),
        "sessions with a word, counted": lambda: reader.count_sessions(Wanted(text="usual")),
        "users": lambda: reader.users(),
        "session page, 950 jobs": lambda: reader.session_page(usual),
        "session page, 4 million fits": lambda: reader.session_page(HUGE),
        "session page, 2 million jobs": lambda: reader.session_page(QUIET),
        "session page, batch": lambda: reader.session_page(BATCH),
        "version of the history": lambda: reader.history_version(HUGE, 1),
        "history picture": lambda: reader.history_picture(HUGE, 1),
        "best fit": lambda: reader.best(HUGE, 1),
        "jobs, first page": lambda: reader.jobs(HUGE, 100),
        "jobs, last page": lambda: reader.jobs(HUGE, 100, FITS - 100),
        "one job": lambda: reader.job(HUGE, 1, 1, FITS // 2),
        "runs of a job": lambda: reader.runs(HUGE, 1, 1, FITS // 2),
        "fits, first page": lambda: reader.fits(HUGE, 1, 100),
        "fits, half a million later": lambda: reader.fits(HUGE, 1, 100, 500_000),
        "spread of 1000 fits": lambda: reader.spread(BATCH, 1, 1000),
        "failures": lambda: reader.failures(usual, 50),
        "failures of none": lambda: reader.failures(HUGE, 50),
        "batch, a page of 100": lambda: reader.batch(BATCH, 1, 100, 1000),
        "data sets, counted": lambda: reader.count_datasets(BATCH, 1),
        "messages, newest": lambda: reader.messages(HUGE, 50),
        "messages after one": lambda: reader.messages_after(HUGE, 1, 99_000),
        "nodes": lambda: reader.nodes(),
    }


def timed(ask: Callable[[], object]) -> Callable[[], float]:
    """Return a function that measures the median time of a question in ms, the first time left out."""

    def take() -> float:
        ask()
        return statistics.median(once(ask) for _ in range(TIMES))

    return take


def once(ask: Callable[[], object]) -> float:
    begin = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - begin)
