"""Start values: what one job found, as attributes of the input from which another job starts. Pure.

    output {"parameters": [{"name": "film SLD", "value": 2.43}, …]}  ──▶  {"film_sld": "2.43"}  ──▶  <input film_sld=…>

The attribute of a parameter is what its key `input` says, else its name: in lower case, with `_` for every run of other
characters than letters and digits. A parameter without a finite value, or that no attribute of an input can carry, is
left out. What an input says itself is never replaced.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from park_spool.attributes import attributes
from park_spool.sessions.element import Element

PARAMETERS = "parameters"
INPUT = "input"

_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_BETWEEN = re.compile(r"[^a-z0-9]+", re.ASCII)


def start_values(output: str) -> dict[str, str]:
    """Return the start values {attribute: text} that a job's output gives.

    >>> start_values('{"parameters": [{"name": "film SLD", "value": 2.43}, {"name": "d", "value": 3, "input": "top"}]}')
    {'film_sld': '2.43', 'top': '3'}
    >>> start_values('{"parameters": [{"name": "scale", "value": null}]}'), start_values("no reply")
    ({}, {})
    """
    return of_parameters(attributes(output).values.get(PARAMETERS))


def of_parameters(listed: object) -> dict[str, str]:
    """Return the start values that a list of parameters gives, as an output has it.

    >>> of_parameters([{"name": "scale", "value": 0.9}, {"name": "odd"}, 3])
    {'scale': '0.9'}
    """
    found: dict[str, str] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict):
            attribute, text = _attribute(entry), _text(entry.get("value"))
            if attribute is not None and text is not None:
                found[attribute] = text
    return found


def _attribute(entry: Mapping[str, object]) -> str | None:
    """Name the attribute that carries a parameter; None if none does.

    >>> _attribute({"name": "Film (top) d/Å"}), _attribute({"name": "d", "input": "top"}), _attribute({"name": "2nd"})
    ('film_top_d_', 'top', None)
    """
    said = entry[INPUT] if INPUT in entry else entry.get("name")
    if not isinstance(said, str):
        return None
    name = said if INPUT in entry else _BETWEEN.sub("_", said.lower())
    return name if _ATTRIBUTE.fullmatch(name) and name.strip("_") else None


def _text(value: object) -> str | None:
    """Write a finite number so that it is read back as the same; a whole one without a point, as `int` wants it.

    >>> _text(0.1 + 0.2), _text(24.0), _text(True), _text(float("inf")), _text(10**400)
    ('0.30000000000000004', '24', None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return str(int(value)) if number.is_integer() and abs(number) < 1e15 else repr(value)


def started(element: Element, values: Mapping[str, str]) -> Element:
    """Give an input its start values; the attributes that it has itself stay as they are.

    >>> started(Element("input", {"seed": "7"}), {"seed": "1", "scale": "0.9"}).attributes
    {'scale': '0.9', 'seed': '7'}
    """
    if not values:
        return element
    given = {name: text for name, text in values.items() if name not in element.attributes}
    return Element(element.tag, {**given, **element.attributes}, element.text, element.children)
