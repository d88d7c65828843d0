"""Tables of the documents as tests read them."""

from __future__ import annotations

import re


def rows(text: str, title: str) -> dict[str, list[str]]:
    """Read the table whose head begins with `title`: its rows by each word in code style of their first cell."""
    (table,) = re.findall(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|\n ").split(" | ")] for line in table.splitlines()]
    return {word: row[1:] for row in cells for word in re.findall(r"`([^`]+)`", row[0])}
