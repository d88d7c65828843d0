"""Reads a frame from text: columns Q, I, dI and, optionally, dQ, a standard deviation.

Columns are separated by blanks, commas or semicolons; of more than four the first four are read.  What follows a #
is skipped, and so is a heading: the lines before the first that begins with a number, or up to the line before the
data that ISIS (`3 (F12.5,2E16.6)`) and NIST (`The 6 columns are …`) write.  Every other line must be a row like the
first, or the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from frame_choice import chosen_frame
from frame_units import framed
from frames import Frame, FrameError, Source

COLUMNS = ("Q", "I", "dI", "dQ")
_LAST_OF_HEADING = re.compile(r"\s*(\d+\s+\(\d*F[\d.]+.*\)|The \d+ columns are.*)\s*")


def parse_text(text: str, name: str, wanted: str | None = None, select: str = "", q_unit: str = "1/Å") -> Frame:
    """Make a frame of the text of a file called `name`; it is the file's only one, called like the file.

    >>> frame = parse_text("Q I dI\\n0.02 5 0.1\\n0.01 10 0.2\\n", "a.txt")
    >>> frame.q, frame.numbers
    (array([0.02, 0.01]), array([2, 3]))
    """
    chosen_frame([name], wanted, select, name)
    rows = list(_rows(text.splitlines(), name))
    if not rows:
        raise FrameError(f"{name}: expected rows of numbers Q, I, dI, dQ, found none in the file")
    numbers = np.array([number for number, _ in rows])
    columns = dict(zip(COLUMNS, np.array([row for _, row in rows]).T, strict=False))
    return framed(Source.of(name, name, 1, "line"), columns, {}, q_unit, numbers)


def _rows(lines: list[str], name: str) -> Iterator[tuple[int, list[float]]]:
    """Yield the number of each line that is a row, and the row's three or four numbers."""
    columns = 0
    heading = max((number for number, line in enumerate(lines, 1) if _LAST_OF_HEADING.fullmatch(line)), default=0)
    for number, line in enumerate(lines, 1):
        tokens = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        if number <= heading or not tokens or (not columns and not is_number(tokens[0])):
            continue
        columns = columns or len(tokens)
        complaint = _complaint(tokens, columns)
        if complaint:
            raise FrameError(f"{name}, line {number}: {complaint}")
        yield number, [float(token) for token in tokens[:4]]


def _complaint(tokens: list[str], columns: int) -> str:
    """Say why a line is no row; "" for one that is.

    >>> _complaint(["0.01", "1.0"], 2), _complaint(["0.01", "1.0", "0.1"], 3)
    ('expected at least three columns (Q, I, dI), found 2', '')
    """
    if columns < 3:
        return f"expected at least three columns (Q, I, dI), found {columns}"
    if len(tokens) != columns:
        return f"expected {columns} columns as in the first row, found {len(tokens)}"
    bad = [(column, token) for column, token in zip(COLUMNS, tokens, strict=False) if not is_number(token)]
    return f"expected a number for {bad[0][0]}, found {bad[0][1]!r}" if bad else ""


def is_number(token: str) -> bool:
    """Say whether float() takes a token; `nan` and `inf` are numbers here, and refused where they matter.

    >>> is_number("1e-3"), is_number("nan"), is_number("Q")
    (True, True, False)
    """
    try:
        float(token)
    except ValueError:
        return False
    return True
