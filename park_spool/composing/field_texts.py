"""What people write into the fields of a form, read: ValueError in words for what cannot be meant. Pure."""

from __future__ import annotations

from park_spool import tags
from park_spool.catalog.input_spec import InputSpec, finite_number, whole_number
from park_spool.sessions.scan import Axis


def sentence(text: str) -> str:
    """Make a sentence of a reason.

    >>> sentence("must be a whole number")
    'Must be a whole number.'
    """
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def is_name(text: str) -> bool:
    """Say whether a text can name an input.

    >>> is_name("film_sld"), is_name("2nd"), is_name("a=b")
    (True, False, False)
    """
    return text.isascii() and text.replace(".", "_").replace("-", "_").isidentifier() and len(text) <= 100


def whole(text: str, low: int, high: int) -> int:
    """Read a whole number within bounds."""
    number = whole_number(text)
    if not low <= number <= high:
        raise ValueError(f"must be from {low:,} to {high:,}, not {text[:40]!r}")
    return number


def end_of(spec: InputSpec, text: str) -> int | float:
    """Read one end of an axis; a whole number stays whole, so that its values can be."""
    spec.convert(text)
    try:
        return whole_number(text)
    except ValueError:
        return finite_number(text)


def axis_fault(axis: Axis, spec: InputSpec) -> tuple[str, str] | None:
    """Say what is wrong with a range of values, and at which of its fields; None if nothing is."""
    if axis.spacing not in ("linear", "log"):
        return "spacing", "Expected linear or log."
    if axis.spacing == "log" and not axis.start * axis.stop > 0:
        return "from", "With logarithmic steps both ends must be of one sign, and neither of them 0."
    if spec.type == "int" and not axis.is_whole:
        return "count", f"{axis.name} takes whole numbers, and so many steps make others."
    return None


def values(spec: InputSpec, text: str) -> Axis:
    """Read the values of an axis, divided by white space or commas."""
    found = tuple(text.replace(",", " ").split())
    for value in found:
        spec.convert(value)
    return Axis(spec.name, found)


def printable(text: str, most: int) -> str:
    """Read a text for people's eyes."""
    if len(text) > most or not text.isprintable():
        raise ValueError(f"must be at most {most} printable characters")
    return text


def email(text: str) -> str:
    """Read an address of mail."""
    if not text.isprintable() or " " in text or "@" not in text.strip("@"):
        raise ValueError(f"must be an address such as wei@example.org, not {text[:80]!r}")
    return text


def labels(text: str) -> str:
    """Read names of nodes, or tags.

    >>> labels("n1, GPU")
    'n1 gpu'
    """
    words = text.lower().replace(",", " ").split()
    for word in words:
        if not tags.is_label(word) or word.startswith(".") or word == tags.COMMAND:
            raise ValueError(f"expected names of letters, digits, '_' and '-', not {word[:40]!r}")
    return " ".join(words)


def assignments(text: str) -> dict[str, str]:
    """Read lines of NAME = VALUE; the last of a name that stands twice is refused.

    >>> assignments("scale = 1\\nlayers = oxide film")
    {'scale': '1', 'layers': 'oxide film'}
    """
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not is_name(name):
            raise ValueError(f"expected NAME = VALUE in each line, got {line[:80]!r}")
        if name in found or name in ("data", "children"):
            raise ValueError(f"{name} stands in another field or line already")
        found[name] = value
    return found
