"""Reads a reflectivity curve from a text file: columns Q, R, dR and, optionally, dQ.

Columns are separated by blanks, commas or semicolons; of more than four the first four are read.  What
follows a #, and headings before the first row of numbers, are skipped.  dQ is a full width at half maximum
(FWHM), as refnx takes it; in ORSO files (.ort) it is a standard deviation, and is converted.  Every other
file is refused with one sentence that names the file and the line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian
COLUMNS = ("Q", "R", "dR", "dQ")


class CurveFileError(ValueError):
    """A data file is not a reflectivity curve; the text names the file, the line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A measured curve in ascending Q: q and dq (FWHM, or None) in 1/Å, r and dr without unit."""

    q: tuple[float, ...]
    r: tuple[float, ...]
    dr: tuple[float, ...]
    dq: tuple[float, ...] | None


def read_curve(path: Path) -> Curve:
    """Read a curve file; raises CurveFileError for what is not a curve, OSError for what cannot be read."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if "\0" in text:
        raise CurveFileError(f"{path.name}: expected text in columns Q, R, dR, dQ, found a binary file")
    return parse_curve(text, path.name)


def parse_curve(text: str, name: str) -> Curve:
    """Make a curve of the text of a file called `name`; raises CurveFileError.

    >>> parse_curve("# Q R dR\\n0.02 0.5 0.01\\n0.01 1.0 0.02\\n", "a.txt")
    Curve(q=(0.01, 0.02), r=(1.0, 0.5), dr=(0.02, 0.01), dq=None)
    """
    rows = sorted(_rows(text, name))
    if not rows:
        raise CurveFileError(f"{name}: expected rows of numbers Q, R, dR, dQ, found none in the file")
    q, r, dr, *rest = zip(*rows, strict=True)
    width = FWHM_PER_SIGMA if text.startswith("# # ORSO") else 1.0
    return Curve(q, r, dr, tuple(width * sigma for sigma in rest[0]) if rest else None)


def _rows(text: str, name: str) -> Iterator[tuple[float, ...]]:
    """Yield the rows of numbers, three or four each, all of one length and checked."""
    columns = 0
    for line_number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("# data_set:") and columns:
            raise CurveFileError(f"{name}, line {line_number}: expected one curve, found a second data set")
        tokens = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        if not tokens or (not columns and not _is_number(tokens[0])):
            continue
        columns = columns or len(tokens)
        row = _row(tokens, columns)
        if row is None:
            raise CurveFileError(f"{name}, line {line_number}: {_complaint(tokens, columns)}")
        yield row


def _row(tokens: list[str], columns: int) -> tuple[float, ...] | None:
    """Turn one line's tokens into Q, R, dR and maybe dQ, or None if anything is wrong with them."""
    if len(tokens) != columns or columns < 3:
        return None
    try:
        row = tuple(map(float, tokens[:4]))
    except ValueError:
        return None
    is_good = math.isfinite(row[1]) and all(0 < value < math.inf for value in (row[0], *row[2:]))
    return row if is_good else None


def _complaint(tokens: list[str], columns: int) -> str:
    """Say what is wrong with a line that is not a row.

    >>> _complaint(["0.01", "1.0", "-0.1"], 3)
    'expected a positive dR, found -0.1'
    """
    if columns < 3:
        return f"expected at least three columns (Q, R, dR), found {columns}"
    if len(tokens) != columns:
        return f"expected {columns} columns as in the first row, found {len(tokens)}"
    for token, column in zip(tokens, COLUMNS, strict=False):
        if not _is_number(token) or not math.isfinite(float(token)):
            return f"expected a number for {column}, found {token!r}"
        if column != "R" and float(token) <= 0:
            return f"expected a positive {column}, found {token}"
    raise AssertionError("a line without a fault was complained of")


def _is_number(token: str) -> bool:
    """Say whether float() takes a token.

    >>> _is_number("1e-3"), _is_number("Q")
    (True, False)
    """
    try:
        float(token)
    except ValueError:
        return False
    return True
