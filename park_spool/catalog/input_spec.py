"""What a command takes: the inputs that a manifest describes, and text turned into values by them.

Owns: `InputSpec`, the meaning of the types int, float, str and bool, and `typed_values` for functions that
take a dict.  The same check runs at admission (with line and column) and in the worker: they cannot differ.
Guarantees: pure; a message names the input, what was expected and what was found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from park_spool.catalog.suggestions import quoted
from park_spool.sessions.element import Element

Value = int | float | str | bool

# int() and float() also take '1_000', other alphabets' digits and 'nan': a session means none of these.
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,300}\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def whole_number(text: str) -> int:
    """Read a whole number; ValueError in words otherwise.

    >>> whole_number(" 24 ")
    24
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"must be a whole number, not {quoted(text)}")
    return int(text)


def finite_number(text: str) -> float:
    """Read a finite number; ValueError in words otherwise.

    >>> finite_number("1e-6")
    1e-06
    """
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, not {quoted(text)}")
    return number


def truth(text: str) -> bool:
    """Read true or false, yes or no, 1 or 0; ValueError in words otherwise.

    >>> truth("Yes")
    True
    """
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"must be true or false, not {quoted(text)}") from None


READERS: dict[str, Callable[[str], Value]] = {
    "int": whole_number,
    "float": finite_number,
    "bool": truth,
    "str": str,
}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Describe one input of a command: its name, type, range, unit, default, meaning, and what it may be."""

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    default: Value | None = None
    required: bool = False
    description: str = ""
    choices: tuple[str, ...] = ()

    def convert(self, text: str) -> Value:
        """Turn text into a value of this type and range; ValueError with a sentence otherwise.

        >>> InputSpec("count", "int", minimum=0).convert("24")
        24
        >>> InputSpec("thickness", "float", minimum=0, unit="Å").convert("-3")
        Traceback (most recent call last):
        ValueError: input 'thickness' must be at least 0 Å, not '-3'
        """
        try:
            value: Value = READERS[self.type](text)
        except ValueError as error:
            raise ValueError(f"input {self.name!r} {error}") from None
        self.check_range(value, text)
        if self.choices and value not in self.choices:
            raise ValueError(f"input {self.name!r} must be one of {', '.join(self.choices)}, not {quoted(text)}")
        return value

    def check_range(self, value: Value, text: str) -> None:
        """Raise ValueError with a sentence if a number is outside the range."""
        if isinstance(value, str):
            return
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"input {self.name!r} must be at least {self.minimum}{unit}, not {quoted(text)}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"input {self.name!r} must be at most {self.maximum}{unit}, not {quoted(text)}")


def typed_values(specs: Iterable[InputSpec], element: Element) -> dict[str, object]:
    """Turn an input's attributes into a dict: by type where a spec names them, as text where none does.

    Children appear under 'children' as nested dicts, paths of data sets under 'data' as {name: path};
    neither key is there when there is nothing to put into it. ValueError names an input that cannot be read.
    """
    values: dict[str, object] = dict(element.attributes)
    for spec in specs:
        given = element.attributes.get(spec.name)
        if given is not None:
            values[spec.name] = spec.convert(given)
        elif spec.default is not None:
            values[spec.name] = spec.default
        elif spec.required:
            raise ValueError(f"input {spec.name!r} is missing")
    if element.children:
        values |= _children(element)
    return values


def _children(element: Element) -> dict[str, object]:
    data = {c.attributes["name"]: c.attributes["path"] for c in element.children if is_resolved_data(c)}
    children = [child.to_json() for child in element.children if not is_resolved_data(child)]
    found: dict[str, object] = {"data": data} if data else {}
    return found | ({"children": children} if children else {})


def is_resolved_data(element: Element) -> bool:
    """Say whether an element is a data set whose path is known.

    >>> is_resolved_data(Element("data", {"name": "film", "path": "film.txt"}))
    True
    >>> is_resolved_data(Element("data", {"name": "film"}))
    False
    """
    return element.tag == "data" and "path" in element.attributes and "name" in element.attributes
