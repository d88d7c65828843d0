"""How templates say numbers."""

from __future__ import annotations

from park_spool import progress
from park_spool.limits import size_words


def counted(number: int, word: str, several: str = "") -> str:
    """Say a number of things.

    >>> counted(1, "job"), counted(4800, "job"), counted(2, "retry", "retries")
    ('1 job', '4,800 jobs', '2 retries')
    """
    return f"{number:,} {word if number == 1 else several or word + 's'}"


def size(number: float | None) -> str:
    """Say a number of bytes; a dash if nobody knows.

    >>> size(None)
    '–'
    """
    return "–" if number is None else size_words(int(number))


def measured(value: float | None, error: float | None = None) -> str:
    """Say a value with its error; nothing if there is none.

    >>> measured(258.863, 0.1042), measured(None)
    ('258.86 ± 0.10', '')
    """
    return "" if value is None else progress.measured(value, error)


def short(value: object) -> str:
    """Say a coordinate of a map: a number to six digits, anything else as it is.

    >>> short(258.333333333333), short("258.333333333333"), short(3), short("film")
    ('258.333', '258.333', '3', 'film')
    """
    try:
        return f"{float(str(value)):.6g}"
    except ValueError:
        return str(value)


def percent(part: float) -> str:
    """Say a part of a whole, as SVG takes it for a place.

    >>> percent(0.4642)
    '46.42%'
    """
    return f"{part * 100:.4g}%"
