"""Store results so that every order of arrival and every cutting into batches gives the same rows.

`precedence` decides, this file does: set by set, never row by row while nothing is contested.  All of it
runs inside the caller's transaction.

    results ─┬─ final ──── settle ─┬─ new ──────── jobs with all that follows from them (derived.py, fitted.py)
             │                     ├─ replacing ── the same; the one before goes to duplicates
             │                     └─ beaten ───── duplicates
             └─ not final ── attempts, unless the same run was ok
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from park_spool.attributes import NOTHING, Attributes, numbers

from . import derived, fitted
from .entries import JobKey, Outcome, Result
from .precedence import Rank, Verdict, rank, runs, settle

_NO_TEXT = (None,) * 5
_NOTHING_SAID = ("", *_NO_TEXT)
_OF_JOBS = "jobs LEFT JOIN results USING (sid, group_number, joblist_number, job_number)"
_THIS_JOB = "sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?"
_INSERT_JOB = "INSERT INTO jobs VALUES (?,?,?,?, ?,?,?,?, ?,?,?, ?,?,?,?,?, ?, 0)"
_INSERT_RESULT = "INSERT INTO results VALUES (?,?,?,?, ?,?,?,?,?,?)"
INSERT_PARAMETER = "INSERT INTO parameters VALUES (?,?,?,?, ?,?,?,?,?,?,?,?)"
_INSERT_FILE = "INSERT OR IGNORE INTO files VALUES (?,?,?,?, ?,?,?)"  # two names may become one in `storable`
# One node may have run a job twice under one attempt: the earlier of the two stands for the run, ok before all.
_RUN = "sid, group_number, joblist_number, job_number, round, attempt, node"
_TAKE_ALL = """status = excluded.status, started = excluded.started, seconds = excluded.seconds,
    why = excluded.why, exit = excluded.exit, signal = excluded.signal, stderr = excluded.stderr"""
_EARLIER_STANDS = f"""
  ON CONFLICT ({_RUN}) DO UPDATE SET {_TAKE_ALL}
  WHERE (excluded.status <> 'ok', excluded.started, excluded.seconds, excluded.status)
    < (duplicates.status <> 'ok', duplicates.started, duplicates.seconds, duplicates.status)"""
EARLIER_ATTEMPT_STANDS = f"""
  ON CONFLICT ({_RUN}) DO UPDATE SET {_TAKE_ALL}
  WHERE (excluded.started, excluded.seconds, excluded.status)
    < (attempts.started, attempts.seconds, attempts.status)"""
RUN_COLUMNS = f"{_RUN}, status, started, seconds, why, exit, signal, stderr"
_INSERT_BEATEN = f"INSERT INTO duplicates ({RUN_COLUMNS}) VALUES (?,?,?,?, ?,?,?, ?,?,?, ?,?,?,?) {_EARLIER_STANDS}"
_INSERT_ATTEMPT = (
    f"INSERT INTO attempts ({RUN_COLUMNS}) VALUES (?,?,?,?, ?,?,?, ?,?,?, ?,?,?,?) {EARLIER_ATTEMPT_STANDS}"
)
_KEEP_REPLACED = f"""
  INSERT INTO duplicates ({RUN_COLUMNS})
  SELECT {RUN_COLUMNS} FROM {_OF_JOBS} WHERE {_THIS_JOB} {_EARLIER_STANDS}"""
_DROP_WINNER = f"""
  DELETE FROM duplicates WHERE {_THIS_JOB}
  AND (round, attempt, node) = (
    SELECT j.round, j.attempt, j.node FROM jobs j
    WHERE j.sid = ?1 AND j.group_number = ?2 AND j.joblist_number = ?3 AND j.job_number = ?4)"""
_COUNT = f"""
  UPDATE jobs SET duplicates = (SELECT count(*) FROM duplicates WHERE {_THIS_JOB})
  WHERE sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND job_number = ?4"""


def put_results(connection: sqlite3.Connection, results: Iterable[Result]) -> Outcome:
    """Store a batch of results; `precedence` says which of several for one job counts."""
    batch = [_sane(result) for result in results]
    finals = [result for result in batch if result.is_final]
    if len(finals) < len(batch):
        connection.executemany(_INSERT_ATTEMPT, [_run_row(result) for result in batch if not result.is_final])
    stored = _stored(connection, finals)
    verdict = settle(stored, finals)
    derived.add_sums(connection, batch, verdict.accepted)
    duplicates = 0
    if not verdict.replacing and not verdict.beaten:
        _store(connection, verdict.accepted)
    else:
        duplicates = _store_contested(connection, stored, verdict)
    for head, run in groupby(batch, itemgetter(0, 1, 2)):
        jobs = [result.job for result in run]
        derived.drop_answered(connection, head, min(jobs), max(jobs))
    return Outcome(verdict.accepted, verdict.replacing, duplicates)


def _sane(result: Result) -> Result:
    """Give a result with an impossible time the time 0: it is kept, and always sorts first."""
    return result if math.isfinite(result.started + result.seconds) else result._replace(started=0.0, seconds=0.0)


def _stored(connection: sqlite3.Connection, finals: Sequence[Result]) -> dict[JobKey, Rank]:
    """Look up what is stored for these jobs, one query for each run of consecutive jobs."""
    stored: dict[JobKey, Rank] = {}
    for head, start, stop in runs(finals):
        rows = connection.execute(
            "SELECT job_number, status, round, attempt, node, started, seconds FROM jobs"
            " WHERE sid = ? AND group_number = ? AND joblist_number = ?"
            " AND job_number >= ? AND job_number < ?",
            (*head, start, stop),
        )
        for job, *place in rows:
            stored[(*head, job)] = rank(*place)
    return stored


def _store(connection: sqlite3.Connection, results: Sequence[Result]) -> None:
    said = [numbers(result.output) if result.status == "ok" else NOTHING for result in results]
    rows = list(map(_job_row, results, said))
    connection.executemany(_INSERT_JOB, rows)
    connection.executemany(_INSERT_RESULT, [_result_row(result) for result in results if _has_text(result)])
    connection.executemany(INSERT_PARAMETER, _parameter_rows(results, said))
    connection.executemany(_INSERT_FILE, [row for result in results if result.files for row in _file_rows(result)])
    derived.extend_ranges(connection, results)
    derived.extend_history(connection, rows)


def _store_contested(connection: sqlite3.Connection, stored: dict[JobKey, Rank], verdict: Verdict) -> int:
    """Store new results, replace beaten ones, count both; return by how much `duplicates` rose."""
    replaced = [result.key for result in verdict.replacing]
    contested = sorted({*replaced, *(result.key for result in verdict.beaten)})
    before = _duplicates(connection, contested)
    connection.executemany(_KEEP_REPLACED, replaced)
    broken = derived.drop_history(connection, replaced)
    drop_finals(connection, replaced)
    _store(connection, [*verdict.accepted, *verdict.replacing])
    derived.rebuild_history(connection, broken)
    connection.executemany(_INSERT_BEATEN, [_run_row(result) for result in verdict.beaten])
    connection.executemany(_DROP_WINNER, contested)
    count_duplicates(connection, contested)
    risen = {key: count - before.get(key, 0) for key, count in _duplicates(connection, contested).items()}
    derived.move_sums(connection, risen, ((result, stored[result.key]) for result in verdict.replacing))
    return sum(risen.values())


def drop_finals(connection: sqlite3.Connection, keys: Sequence[JobKey]) -> None:
    """Remove the final results of these jobs, with all that they said and left."""
    for table in ("jobs", "results", "parameters", "files"):
        connection.executemany(f"DELETE FROM {table} WHERE {_THIS_JOB}", keys)


def count_duplicates(connection: sqlite3.Connection, keys: Iterable[JobKey]) -> None:
    """Count the duplicates of these jobs again."""
    connection.executemany(_COUNT, keys)


def _duplicates(connection: sqlite3.Connection, keys: Iterable[JobKey]) -> dict[JobKey, int]:
    """Return how many duplicates are counted for each of these jobs that is stored."""
    counts: dict[JobKey, int] = {}
    for key in keys:
        for (count,) in connection.execute(f"SELECT duplicates FROM jobs WHERE {_THIS_JOB}", key):
            counts[key] = count
    return counts


def _job_row(result: Result, said: Attributes) -> tuple[object, ...]:
    return (
        *result[:10],
        result.started + result.seconds,
        *(said.chisq, said.npoints, said.dof, said.nllf, said.seed),
        None if result.dataset is None else storable(result.dataset),
    )


def _parameter_rows(results: Sequence[Result], said: Sequence[Attributes]) -> Iterator[tuple[object, ...]]:
    for result, found in zip(results, said, strict=True):
        if "parameters" in found.values:
            yield from ((*result[:4], *row) for row in fitted.rows(found.values["parameters"]))


def _has_text(result: Result) -> bool:
    return bool(result.output) or result[11:16] != _NO_TEXT


def _result_row(result: Result) -> tuple[object, ...]:
    data = None if result.data is None else json.dumps(result.data, sort_keys=True)
    return (
        *result[:4],
        storable(result.output),
        *(None if text is None else storable(text) for text in (result.why, result.stderr)),
        *(result.exit, result.signal, data),
    )


def _file_rows(result: Result) -> Iterator[tuple[object, ...]]:
    for name, kept in (result.files or {}).items():
        yield *result[:4], storable(name), kept.sha256, kept.size


def _run_row(result: Result) -> tuple[object, ...]:
    why, stderr = (None if text is None else storable(text) for text in (result.why, result.stderr))
    times = (result.status, result.started, result.seconds)
    return (*result[:4], *result[5:8], *times, why, result.exit, result.signal, stderr)


def in_order(connection: sqlite3.Connection, sid: str, group: int) -> Iterator[Result]:
    """Yield a group's results in the order (finished, job list, job), one at a time.

    Only the small rows are sorted; each text is looked up when its turn comes, so memory stays small.
    """
    rows = connection.execute(
        "SELECT joblist_number, job_number, status, round, attempt, node, started, seconds, dataset FROM jobs"
        " WHERE sid = ? AND group_number = ? ORDER BY finished, joblist_number, job_number",
        (sid, group),
    )
    for *row, dataset in rows:
        texts = connection.execute(
            f"SELECT output, why, exit, signal, stderr, data FROM results WHERE {_THIS_JOB}",
            (sid, group, *row[:2]),
        ).fetchone()
        output, why, exit_, signal, stderr, data = texts or _NOTHING_SAID
        found = None if data is None else json.loads(data)
        yield Result._make((sid, group, *row, output, why, exit_, signal, stderr, found, None, True, dataset))


def storable(text: str) -> str:
    """Replace what no database can hold (half of a surrogate pair, out of a JSON escape) by a question mark.

    >>> storable("film 258.86 Å"), storable("half \\ud800")
    ('film 258.86 Å', 'half ?')
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
