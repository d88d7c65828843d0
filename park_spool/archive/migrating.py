"""Migration 0003: every table made again with its foreign keys, every row copied, and what is new filled in.

SQLite can add no foreign key to a table that is there, so each is renamed, made anew and copied, all in the
transaction that records the migration. What the new columns and tables hold is worked out from what was stored:
parameters and data sets' names from the outputs, hrefs from the sessions, numbers of messages from their order.
Provenance was not stored by earlier versions: `park archive rebuild` finds it in the bundles.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from park_spool.attributes import attributes
from park_spool.sessions import datasets
from park_spool.sessions.session import Group, Session

from . import fitted, spool_tables, tables, views

_VIEWS = ("best", "progress", "failures")
_INDICES = ("jobs_by_chisq", "jobs_not_ok", "messages_by_session")
_AS_THEY_WERE = (
    *("meta", "sessions", "groups", "joblists", "results", "files", "final_ranges", "duplicates", "attempts"),
    *("history", "texts", "retries", "bundles", "replies", "nodes"),
)
_COPY_CHANGED = """
INSERT INTO jobs SELECT
  sid, group_number, joblist_number, job_number, status, round, attempt, node, started, seconds, finished,
  chisq, npoints, dof, nllf, seed, NULL, duplicates FROM old_jobs;
INSERT INTO messages
  SELECT sid, group_number, row_number() OVER (PARTITION BY sid, group_number ORDER BY id), at, text
  FROM old_messages;
INSERT INTO running SELECT * FROM old_running r WHERE EXISTS (
  SELECT 1 FROM joblists l WHERE (l.sid, l.group_number, l.joblist_number) = (r.sid, r.group_number, r.joblist_number));
INSERT INTO events SELECT sid, 'admitted', received, 'admitted', user, file FROM sessions WHERE state <> 'deleted';
"""
_JOB = "sid = ? AND group_number = ? AND joblist_number = ? AND job_number = ?"
_SAID = """
  SELECT r.sid, r.group_number, r.joblist_number, r.job_number, r.output FROM results r
  JOIN jobs j USING (sid, group_number, joblist_number, job_number)
  WHERE j.status = 'ok' AND (instr(r.output, 'parameters') OR instr(r.output, 'dataset') OR instr(r.output, '\\'))"""
_ADD_PARAMETER = "INSERT INTO parameters VALUES (?,?,?,?, ?,?,?,?,?,?,?,?)"
_ADD_DATA_SET = """
  INSERT INTO data_sets VALUES (?,?,?,?,?)
  ON CONFLICT DO UPDATE SET href = excluded.href WHERE excluded.href < data_sets.href"""


def run(connection: sqlite3.Connection, statements: str) -> None:
    """Run several statements inside the transaction that is open (`executescript` would commit it)."""
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def rebuild(connection: sqlite3.Connection) -> None:
    """Bring the second schema to the third, without losing a row."""
    old = (*_AS_THEY_WERE, "jobs", "messages", "running")
    run(connection, "".join(f"DROP VIEW {name};\n" for name in _VIEWS))
    run(connection, "".join(f"DROP INDEX {name};\n" for name in _INDICES))
    run(connection, "".join(f"ALTER TABLE {name} RENAME TO old_{name};\n" for name in old))
    run(connection, tables.TABLES + spool_tables.TABLES)
    for name in _AS_THEY_WERE:
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
        connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM old_{name}")
    run(connection, _COPY_CHANGED)
    run(connection, "".join(f"DROP TABLE old_{name};\n" for name in old))
    run(connection, views.VIEWS)
    for sid, group, known in _groups(connection):
        _fill_datasets(connection, sid, group, known)
        _fill_data_sets(connection, sid, group, known)
    _fill_from_outputs(connection)


def _groups(connection: sqlite3.Connection) -> Iterator[tuple[str, int, Group]]:
    """Yield the groups of each session that can be read."""
    for sid, text in connection.execute("SELECT sid, session FROM sessions WHERE session <> ''").fetchall():
        try:
            session = Session.from_json(json.loads(text))
        except (ValueError, KeyError, TypeError):
            continue
        yield from ((sid, number, group) for number, group in enumerate(session.groups, 1))


def _fill_datasets(connection: sqlite3.Connection, sid: str, number: int, group: Group) -> None:
    """Set the data set of each job whose input is about one."""
    for place, joblist in enumerate(group.joblists, 1):
        if datasets.are_in(joblist):
            head = (sid, number, place)
            jobs = connection.execute(
                "SELECT job_number FROM jobs WHERE sid = ? AND group_number = ? AND joblist_number = ?", head
            ).fetchall()
            named = ((datasets.of_input(joblist.input(job)), *head, job) for (job,) in jobs if job <= joblist.size)
            connection.executemany(f"UPDATE jobs SET dataset = ? WHERE {_JOB}", named)


def _fill_data_sets(connection: sqlite3.Connection, sid: str, number: int, group: Group) -> None:
    """Note the data sets that the stored jobs of a group read."""
    rows = connection.execute(
        "SELECT joblist_number, job_number, data FROM results WHERE sid = ? AND group_number = ? AND data IS NOT NULL",
        (sid, number),
    ).fetchall()
    for joblist, job, data in rows:
        hrefs = datasets.hrefs(group, joblist, job)
        read = ((name, digest) for name, digest in json.loads(data).items() if isinstance(digest, str))
        connection.executemany(
            _ADD_DATA_SET, ((sid, number, name, digest, hrefs.get(name, "")) for name, digest in read)
        )


def _fill_from_outputs(connection: sqlite3.Connection) -> None:
    """Read the parameters, and the data sets that jobs say they are about, out of the stored outputs."""
    for *key, output in connection.execute(_SAID):
        said = attributes(output).values
        connection.executemany(_ADD_PARAMETER, ((*key, *row) for row in fitted.rows(said.get("parameters"))))
        if (name := datasets.of_values(said)) is not None:
            connection.execute(f"UPDATE jobs SET dataset = ? WHERE {_JOB}", (name, *key))
