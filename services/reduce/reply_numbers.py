"""The numbers that a reply says: what reducers count, whatever the service is.

A number is an attribute of the output that is one (chisq, npoints, answer …), or a fitted parameter, under its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from park_spool.reduce import Reply

KEPT_APART = ("chisq", "npoints", "dof", "nllf")
NOT_MEASURED = frozenset({"job", "joblist", "started", "finished"})  # what the reply is, not what it says


def numbers_of(reply: Reply) -> Iterator[tuple[str, float]]:
    """Yield (name, value) of each finite number that a reply says, each name once; an attribute before a parameter."""
    said = {name: value for name, value in vars(reply).items() if name not in NOT_MEASURED}
    found = {name: number for name, value in said.items() if (number := finite(value)) is not None}
    for name, value in parameters_of(reply):
        found.setdefault(name, value)
    yield from found.items()


def number_of(reply: Reply, name: str) -> float | None:
    """Return one number of a reply by its name; None if it says no such number."""
    if name in NOT_MEASURED:
        return None
    own = finite(vars(reply).get(name))
    return own if own is not None else next((value for one, value in parameters_of(reply) if one == name), None)


def parameters_of(reply: Reply) -> Iterator[tuple[str, float]]:
    """Yield (name, value) of the fitted parameters that a reply lists; what is odd is left out."""
    listed = vars(reply).get("parameters")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            value = finite(entry.get("value"))
            if value is not None:
                yield entry["name"], value


def finite(value: object) -> float | None:
    """Return a finite number as a float, else None.

    >>> finite(3), finite(True), finite("3"), finite(float("nan"))
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
