"""The parameters that a job gave, as rows: whatever a service may write there, what can be read of it is kept.

Pure. A number that is not finite, or none at all, is NULL; an entry that is no object has no row, and its place stays
free.
"""

from __future__ import annotations

from collections.abc import Iterator

from park_spool.attributes import finite

MOST = 10_000  # parameters of a job; a longer list is something else
_NUMBERS = ("value", "error", "min", "max", "start")

Row = tuple[int, str, float | None, float | None, str | None, float | None, float | None, float | None]


def rows(said: object) -> Iterator[Row]:
    """Yield (place, name, value, error, unit, min, max, start) for each parameter in the `parameters` of an output.

    >>> list(rows([{"name": "film", "value": 258.86, "error": 0.1, "unit": "Å", "min": "50"}, 3]))
    [(1, 'film', 258.86, 0.1, 'Å', None, None, None)]
    >>> list(rows("none")), list(rows([{"value": float("nan")}]))
    ([], [(1, '', None, None, None, None, None, None)])
    """
    for place, entry in enumerate(said[:MOST], 1) if isinstance(said, list) else ():
        if isinstance(entry, dict):
            value, error, least, most, start = (finite(entry.get(name)) for name in _NUMBERS)
            yield place, _word(entry.get("name")) or "", value, error, _word(entry.get("unit")), least, most, start


def _word(value: object) -> str | None:
    """Return a word or a number as text; None for what is neither.

    >>> _word("Å"), _word(3), _word(None), _word([1]), _word("half \\ud800")
    ('Å', '3', None, None, 'half ?')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).encode("utf-8", "replace").decode("utf-8")
