"""The questions about fits: parameters and their spread, batches, curves, the runs of a job, where it all came from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from park_spool.attributes import attributes, finite

from .fit_rows import (
    BatchRow,
    DataSetRow,
    FitRow,
    ParameterRow,
    ProvenanceRow,
    RunRow,
    Said,
    SpreadRow,
    TextRow,
)
from .queries import JOB_NAME

Key = tuple[str, int, int, int]  # sid, group, job list, job
KEPT_APART = frozenset({"chisq", "npoints", "dof", "nllf", "seed"})

_THIS_JOB = "sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?"
_PARAMETERS = f"""
  SELECT place, name, value, error, unit, min, max, start FROM parameters WHERE {_THIS_JOB} ORDER BY place"""
# Out of the index alone, so that what is skipped is not read.
_BY_CHISQ = """
    SELECT sid, group_number, joblist_number, job_number FROM jobs INDEXED BY jobs_by_chisq
    WHERE sid = ? AND group_number = ? AND chisq IS NOT NULL ORDER BY chisq, finished, joblist_number, job_number"""
_FITS = f"""
  SELECT {JOB_NAME}, j.chisq, j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed, j.dataset,
    j.node, j.seconds, j.finished
  FROM ({_BY_CHISQ} LIMIT ? OFFSET ?) CROSS JOIN jobs j USING (sid, group_number, joblist_number, job_number)
  ORDER BY j.chisq, j.finished, joblist_number, job_number"""
_SPREAD = f"""
  SELECT {JOB_NAME}, j.chisq, j.dataset, p.name, p.value, p.error, p.unit
  FROM ({_BY_CHISQ.replace("IS NOT NULL", "<= ?")} LIMIT ?)
  CROSS JOIN jobs j USING (sid, group_number, joblist_number, job_number)
  CROSS JOIN parameters p USING (sid, group_number, joblist_number, job_number)
  ORDER BY j.chisq, j.finished, joblist_number, job_number, p.place"""
# From one data set to the next by the index, over however many fits each has.
_DATASETS = """
  WITH RECURSIVE sets (dataset) AS (
    SELECT min(dataset) FROM jobs INDEXED BY jobs_by_dataset
    WHERE sid = ?1 AND group_number = ?2 AND dataset IS NOT NULL
    UNION ALL
    SELECT (SELECT min(j.dataset) FROM jobs j INDEXED BY jobs_by_dataset
      WHERE j.sid = ?1 AND j.group_number = ?2 AND j.dataset > sets.dataset)
    FROM sets WHERE dataset IS NOT NULL)"""
_COUNT_DATASETS = f"{_DATASETS} SELECT count(dataset) FROM sets"
_FIRST_JOBS = """
  SELECT dataset FROM jobs INDEXED BY jobs_by_dataset WHERE sid = ? AND group_number = ? AND dataset IS NOT NULL
  GROUP BY dataset ORDER BY min(joblist_number * 10000000000 + job_number) LIMIT ?"""
_BATCH = f"""
  {_DATASETS}
  SELECT j.dataset, {JOB_NAME}, j.chisq, j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed,
    j.node, j.seconds, j.finished, joblist_number, job_number
  FROM sets CROSS JOIN jobs j ON j.sid = ?1 AND j.group_number = ?2
    AND (j.joblist_number, j.job_number) = (
      SELECT b.joblist_number, b.job_number FROM jobs b INDEXED BY jobs_by_dataset
      WHERE b.sid = ?1 AND b.group_number = ?2 AND b.dataset = sets.dataset AND b.chisq IS NOT NULL
      ORDER BY b.chisq, b.finished, b.joblist_number, b.job_number LIMIT 1)
  ORDER BY j.dataset LIMIT ?3 OFFSET ?4"""
_BEST_OF_DATASET = f"""
  SELECT {JOB_NAME}, j.chisq, j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed, j.dataset,
    j.node, j.seconds, j.finished
  FROM jobs j INDEXED BY jobs_by_dataset
  WHERE sid = ? AND group_number = ? AND dataset = ? AND chisq IS NOT NULL
  ORDER BY chisq, finished, joblist_number, job_number LIMIT 1"""
_OUTPUT = f"SELECT output FROM results WHERE {_THIS_JOB}"
_SCALARS = f"""
  SELECT e.key, e.value FROM results r, json_each(CASE WHEN json_valid(r.output) THEN r.output END) e
  WHERE {_THIS_JOB} AND e.type IN ('integer', 'real', 'null')"""
_RUN = "round, attempt, node, status, started, seconds, why, exit, signal, stderr"
_RUNS = f"""
  SELECT {_RUN}, 1 AS counts FROM jobs LEFT JOIN results USING (sid, group_number, joblist_number, job_number)
  WHERE sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND job_number = ?4
  UNION ALL SELECT {_RUN}, 0 FROM duplicates
  WHERE sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND job_number = ?4
  UNION ALL SELECT {_RUN}, 0 FROM attempts
  WHERE sid = ?1 AND group_number = ?2 AND joblist_number = ?3 AND job_number = ?4
  ORDER BY round, attempt, started, node"""


def parameters(connection: sqlite3.Connection, key: Key) -> list[ParameterRow]:
    return [ParameterRow(**row) for row in connection.execute(_PARAMETERS, key)]


def fits(connection: sqlite3.Connection, sid: str, group: int, limit: int, offset: int) -> list[FitRow]:
    return [FitRow(**row) for row in connection.execute(_FITS, (sid, group, limit, offset))]


def spread(connection: sqlite3.Connection, sid: str, group: int, most: int, limit: float) -> list[SpreadRow]:
    return [SpreadRow(**row) for row in connection.execute(_SPREAD, (sid, group, limit, most))]


def count_datasets(connection: sqlite3.Connection, sid: str, group: int) -> int:
    (number,) = connection.execute(_COUNT_DATASETS, (sid, group)).fetchone()
    return int(number)


def best_of_dataset(connection: sqlite3.Connection, sid: str, group: int, dataset: str) -> FitRow | None:
    row = connection.execute(_BEST_OF_DATASET, (sid, group, dataset)).fetchone()
    return None if row is None else FitRow(**row)


def datasets_by_jobs(connection: sqlite3.Connection, sid: str, group: int, limit: int) -> list[str]:
    return [name for (name,) in connection.execute(_FIRST_JOBS, (sid, group, limit))]


def batch(connection: sqlite3.Connection, sid: str, group: int, limit: int, offset: int) -> list[BatchRow]:
    """Return the best fit of each data set, by the data sets' names: the view `batch`, a page of it."""
    found = []
    for row in connection.execute(_BATCH, (sid, group, limit, offset)).fetchall():
        *_, joblist, job = row
        given = parameters(connection, (sid, group, joblist, job))
        fields = {name: row[name] for name in row.keys()[:-2]}
        values, errors = {one.name: one.value for one in given}, {one.name: one.error for one in given}
        found.append(BatchRow(**fields, parameters=values, errors=errors))
    return found


def scalars(connection: sqlite3.Connection, sid: str, jobs: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return the plain numbers of the outputs of jobs, less those that are kept apart.

    SQLite reads JSON several times as fast as it is read here; what is not JSON as a whole is read as everywhere else.
    """
    found: dict[str, dict[str, float]] = {}
    for job in jobs:
        group, joblist, number = map(int, job.split("."))
        key = (sid, group, joblist, number)
        rows: list[tuple[str, object]] = connection.execute(_SCALARS, key).fetchall()
        if not rows and (one := said(connection, key)) is not None:
            rows = list(one.values.items())
        numbers = ((name, finite(value)) for name, value in rows if name not in KEPT_APART)
        found[job] = {name: number for name, number in numbers if number is not None}
    return found


def said(connection: sqlite3.Connection, key: Key) -> Said | None:
    """Return what a job said; None if it said nothing, or has no final result."""
    row = connection.execute(_OUTPUT, key).fetchone()
    if row is None:
        return None
    values = attributes(row["output"]).values
    curve = values.get("curve")
    return Said("{}.{}.{}".format(*key[1:]), row["output"], values, curve if isinstance(curve, dict) else None)


def runs(connection: sqlite3.Connection, key: Key) -> list[RunRow]:
    """Return every run of a job, the first one first."""
    return [RunRow(**{**row, "counts": bool(row["counts"])}) for row in connection.execute(_RUNS, key)]


def data_sets(connection: sqlite3.Connection, sid: str) -> list[DataSetRow]:
    rows = connection.execute(
        'SELECT group_number AS "group", name, sha256, href FROM data_sets WHERE sid = ? ORDER BY 1, 2, 3', (sid,)
    )
    return [DataSetRow(**row) for row in rows]


def provenance(connection: sqlite3.Connection, sid: str) -> list[ProvenanceRow]:
    rows = connection.execute(
        'SELECT group_number AS "group", node, host, version, python, service, service_digest, versions FROM provenance'
        " WHERE sid = ? ORDER BY 1, 2, 7",
        (sid,),
    )
    return [ProvenanceRow(**{**row, "versions": json.loads(row["versions"])}) for row in rows]


def texts(connection: sqlite3.Connection, sid: str) -> list[TextRow]:
    rows = connection.execute(
        'SELECT group_number AS "group", keys, text FROM texts WHERE sid = ? ORDER BY 1, 2', (sid,)
    )
    return [TextRow(**{**row, "keys": json.loads(row["keys"])}) for row in rows]
