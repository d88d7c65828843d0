"""The archive: one SQLite file, quick to ask, which can be made again from the bundles in the spool.

    writing.py   the one writer (park-reduced)       reading.py   any number of readers, read-only; finding.py: of what
    entries.py   the values that go in               rows.py, fit_rows.py   the values that come out
    results.py, blocks.py, precedence.py  put results in   queries.py, job_queries.py, fit_queries.py   what is asked
    derived.py, fitted.py  what follows from results      tables.py, spool_tables.py, views.py   the schema, explained
    sessions.py, retrying.py, deletion.py, presence.py, origins.py, happenings.py   the other rows
    schema.py, migrating.py, earlier.py   how a file comes to the schema       sqlite.py   connections, transactions
    checking.py, rules.py, compacting.py, snapshots.py, exporting.py, described.py, holding.py   looking after it

All SQL of the project on this file is in this folder.  Importing `reading` does not import sqlite-utils.
"""
