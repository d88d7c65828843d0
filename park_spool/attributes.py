"""Read the numbers and attributes that a job's output carries.

A reply may be any text.  If it is a JSON object, its keys are attributes; if it is one XML element, the
element's attributes are; else its last line counts, if that is one of them: what stands before it may be progress.
The five numbers that the archive keeps apart (chisq,
npoints, dof, nllf, seed) are separated from everything else and never mixed.  Nothing here raises on any
text: what cannot be read is absent, because a bad reply must not stop the line.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field

_INTEGER_LIMIT = 2**63  # what a database column and every other reader can hold
# A backslash may hide a name in JSON.
_WORTH_READING = re.compile(r"chisq|npoints|dof|nllf|seed|parameters|dataset|\\")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What an output says of itself; a number that is missing, not a number or not finite is None."""

    chisq: float | None = None
    npoints: int | None = None
    dof: int | None = None
    nllf: float | None = None
    seed: int | None = None
    values: dict[str, object] = field(default_factory=dict)


NOTHING = Attributes()


def attributes(output: str) -> Attributes:
    r"""Return the attributes of one output text.

    `chisq` is the plain sum of squared residuals over errors, `nllf` the negative log-likelihood; neither
    is made from the other.

    >>> attributes('{"chisq": 966.19, "npoints": 408, "success": true}')
    Attributes(chisq=966.19, npoints=408, dof=None, nllf=None, seed=None, values={'success': True})
    >>> attributes('{"chisq": 17000.5}\n{"chisq": 966.19}\n').chisq
    966.19
    >>> attributes('<reply chisq="12.5" host="n4"/>').values
    {'host': 'n4'}
    >>> attributes('{"chisq": NaN}').chisq is None
    True
    """
    found = _read(output)
    if not found:
        return NOTHING
    return Attributes(
        chisq=finite(found.pop("chisq", None)),
        npoints=_integer(found.pop("npoints", None)),
        dof=_integer(found.pop("dof", None)),
        nllf=finite(found.pop("nllf", None)),
        seed=_integer(found.pop("seed", None)),
        values=found,
    )


def numbers(output: str) -> Attributes:
    """Return the attributes of an output that can hold what the archive keeps apart, else nothing, unparsed.

    That is the five numbers, parameters and a data set's name. Most tiny outputs have none: this keeps them cheap.

    >>> numbers('{"answer": 42}') is NOTHING
    True
    """
    return attributes(output) if may_hold_numbers(output) else NOTHING


def may_hold_numbers(output: str) -> bool:
    """Say whether an output, or one of several in one text, can hold a number, parameters or a data set's name."""
    return _WORTH_READING.search(output) is not None


def _read(output: str) -> dict[str, object]:
    text = output.strip()
    return _read_one(text) or _read_one(text[text.rfind("\n") + 1 :])


def _read_one(text: str) -> dict[str, object]:
    if text.startswith("{"):
        return _read_json(text)
    return _read_xml(text) if text.startswith("<") else {}


def _read_json(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, a number of 5,000 digits, or nested too deep
        return {}
    return found if isinstance(found, dict) else {}


def _read_xml(text: str) -> dict[str, object]:
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        element = fromstring(text, forbid_dtd=True)
    except (ParseError, ValueError):  # defusedxml's own errors are ValueErrors
        return {}
    return {name: _converted(value) for name, value in element.attrib.items()}


def _converted(value: str) -> object:
    """Turn an XML attribute into the number that it spells, if it spells one.

    >>> _converted("24"), _converted("2.5e3"), _converted("n4"), _converted("nan"), _converted("1_0")
    (24, 2500.0, 'n4', 'nan', '1_0')
    """
    for convert in (int, float):
        try:
            number = convert(value)
        except ValueError:
            continue
        return number if math.isfinite(number) and "_" not in value else value
    return value


def finite(value: object) -> float | None:
    """Return a finite number as a float, else None; True and False are not numbers.

    >>> finite(3), finite(True), finite("3"), finite(float("inf")), finite(10**400)
    (3.0, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _integer(value: object) -> int | None:
    """Return a whole number that fits 64 bits, else None.

    >>> _integer(408), _integer(408.0), _integer(2.5), _integer(2**63)
    (408, 408, None, None)
    """
    number = finite(value)
    if number is None or not number.is_integer():
        return None
    whole = int(value) if isinstance(value, int) else int(number)
    return whole if -_INTEGER_LIMIT <= whole < _INTEGER_LIMIT else None
