"""The archive: one SQLite file, quick to ask, which can be made again from the bundles in the spool.

    writing.py   the one writer (park-reduced)          schema.py      tables, views, migrations
    reading.py   any number of readers, read-only       results.py     put results in
    rows.py      the values that go in and come out     derived.py     sums, final ranges, chi-square history
    precedence.py  which result counts: pure deciders   retrying.py    what a retry makes of final failures
    blocks.py    put tiny jobs in by thousands
    queries.py, job_queries.py  what readers ask        deletion.py    what stays of a deleted session
    sqlite.py    connections, transactions, errors      presence.py    the nodes and what they run

All SQL of the project on this file is in this folder.  Importing `reading` does not import sqlite-utils.
"""
