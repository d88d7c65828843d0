"""Sentences that help after a wrong name: what there is, the closest names first.

Owns: the listing at the end of messages about unknown services, commands, reducers, elements, files.
Guarantees: one line, bounded length, whatever the user wrote and however much there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_SHOWN = 20
_LONGEST = 60


def quoted(text: str) -> str:
    """Show a user's own text in a message: quoted, on one line, at most 60 characters of it.

    >>> quoted("tester"), len(quoted("x" * 1000))
    ("'tester'", 65)
    """
    return repr(text) if len(text) <= _LONGEST else repr(text[:_LONGEST]) + "..."


def closest_first(name: str, names: Iterable[str]) -> list[str]:
    """Sort names by their likeness to `name`, then by the alphabet.

    >>> closest_first("testr", ["reflectivity", "tester", "abacus"])[0]
    'tester'
    """
    wanted = name[:_LONGEST].lower()
    return sorted(names, key=lambda known: (-SequenceMatcher(None, wanted, known.lower()).ratio(), known))


def listing(name: str, names: Iterable[str]) -> str:
    """List names for a message, closest first, and say how many were left out.

    >>> listing("chisq", ["Stats", "Chisq"]), listing("x", [])
    ('Chisq, Stats', 'none at all')
    """
    ordered = closest_first(name, names)
    shown = ", ".join(ordered[:_SHOWN])
    left_out = len(ordered) - _SHOWN
    return shown + (f" and {left_out} more" if left_out > 0 else "") if ordered else "none at all"
