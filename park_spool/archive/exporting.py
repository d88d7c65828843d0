"""The archive as CSV, for spreadsheets and programs that read no SQLite: a file for each table and view.

    FOLDER/ NAME.csv …, schema.sql, README.txt        complete or not there: made beside, then renamed

Rows are written one at a time, out of one snapshot: memory stays small, and all files are of one instant.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.errors import PermanentError

from .described import tables
from .reading import ArchiveReader
from .sqlite import snapshot

README = "README.txt"
SCHEMA = "schema.sql"


def export(reader: ArchiveReader, folder: Path) -> list[str]:
    """Write the archive into a new folder; return the names of its files.

    Raises PermanentError if the folder is there, NotFound if there is no archive.
    """
    folder = folder.absolute()
    disk = Disk(folder.parent, f".{folder.name}")
    if disk.kind(folder) is not None:
        raise PermanentError(f"{folder} is there already; nothing was written")
    partial = folder.with_name(f".{folder.name}.partial")
    disk.remove_tree(partial)  # CRASH: of an export that came no further
    disk.make_folder(partial)
    try:
        with snapshot(reader.path, is_copy=reader.is_copy) as connection:
            written = [*_tables(connection, partial), *_texts(connection, partial)]
        for name in written:
            disk.sync(partial / name)
        disk.move(partial, folder)  # at this instant it is there, complete
    except (Exception, KeyboardInterrupt):
        disk.remove_tree(partial)
        raise
    disk.sync(folder.parent)
    return written


def _names(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY name"
    )
    return [str(name) for (name,) in rows]


def _tables(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    for name in _names(connection):
        cursor = connection.execute(f'SELECT * FROM "{name}"')
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column[0] for column in cursor.description])
            writer.writerows(cursor)
        yield f"{name}.csv"


def _texts(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    statements = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name")
    texts = {
        SCHEMA: "".join(f"{statement};\n\n" for (statement,) in statements),
        README: "\n".join(readme(set(_names(connection)))) + "\n",
    }
    for name, text in texts.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            file.write(text)
        yield name


def readme(names: set[str]) -> Iterator[str]:
    """Say what the files are."""
    yield "The archive of a park-spool: a file for each table and view, all of one instant."
    yield ""
    yield "UTF-8, a line with the names of the columns first, fields apart by commas, in double quotes where needed;"
    yield "what is not known (NULL) is empty. schema.sql makes the tables in SQLite, with remarks on their columns."
    for name, table in tables().items():
        if name in names:
            yield ""
            yield f"{name}.csv: {table.title}. {table.words}".rstrip()
            yield from (f"  {column}: {words}" for column, words in table.columns.items())
