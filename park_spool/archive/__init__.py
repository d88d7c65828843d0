"""The archive: one SQLite file, quick to ask, which can be made again from the bundles in the spool.

    writing.py   the one writer (park-reduced)          reading.py   any number of readers, read-only
    entries.py   the values that go in                  rows.py, fit_rows.py  the values that come out
    results.py, blocks.py   put results in              queries.py, job_queries.py, fit_queries.py  what readers ask
    derived.py, fitted.py   what follows from them      tables.py, spool_tables.py, views.py  the schema, explained
    precedence.py  which result counts                  schema.py, migrating.py, earlier.py   how a file comes to it
    retrying.py, deletion.py, sessions.py, presence.py, origins.py, happenings.py   the other rows
    sqlite.py    connections, transactions, errors

All SQL of the project on this file is in this folder.  Importing `reading` does not import sqlite-utils.
"""
