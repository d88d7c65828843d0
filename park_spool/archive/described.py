"""What every table, view and column is, in words, and the questions of docs/archive.md: `datasette.json`.

The file is what Datasette takes as metadata; the exported README is made of it, too. A test holds it against the schema
and against the document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("datasette.json")
DATABASE = "park"  # Datasette calls a database by its file's name


@dataclass(frozen=True, slots=True)
class Described:
    """A table or view: what it has rows of, and its columns with their meanings."""

    title: str
    words: str
    columns: dict[str, str]


def metadata(database: str = DATABASE) -> dict[str, Any]:
    """Return Datasette's metadata for an archive whose file is called `database`.sqlite."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return {**found, "databases": {database: found["databases"][DATABASE]}}


def tables() -> dict[str, Described]:
    """Return what each table and view is, in the order in which a reader meets them."""
    found = metadata()["databases"][DATABASE]["tables"]
    return {
        name: Described(table["title"], table.get("description", ""), table["columns"]) for name, table in found.items()
    }
