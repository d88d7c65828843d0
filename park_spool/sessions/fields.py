"""Reading the fields of one XML element: every check of a session says where, what was expected and found.

Owns: the form of a rejection (`reject`) and of a warning.  A missing, wrong or unknown thing is never
guessed: an unknown element rejects, an unknown attribute is kept and warned about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from park_spool.catalog.input_spec import finite_number, whole_number
from park_spool.catalog.suggestions import closest_first, quoted
from park_spool.errors import DataError, ServiceError, SessionError
from park_spool.sessions.xml_tree import Node

_MOST_WARNINGS = 50
_LONGEST_NAME = 200
_T = TypeVar("_T")


@dataclass(slots=True)
class Warnings:
    """Collect what is odd but not wrong, up to a bound."""

    texts: list[str] = field(default_factory=list)
    left_out: int = 0

    def add(self, node: Node, reason: str) -> None:
        """Add a warning about an element, with its place."""
        if len(self.texts) < _MOST_WARNINGS:
            self.texts.append(f"line {node.line}, column {node.column}: {reason}")
        else:
            self.left_out += 1

    def all(self) -> tuple[str, ...]:
        """Give the warnings, the last one saying how many there was no room for."""
        more = (f"and {self.left_out:,} more warnings",) if self.left_out else ()
        return (*self.texts, *more)


def reject(node: Node, reason: str) -> NoReturn:
    """Raise SessionError at the element's place."""
    raise SessionError(reason, node.line, node.column)


@contextmanager
def placed(node: Node) -> Iterator[None]:
    """Give a ServiceError or DataError that is raised inside the element's place, as a SessionError."""
    try:
        yield
    except (ServiceError, DataError) as error:
        raise SessionError(f"<{node.tag}>: {error}", node.line, node.column) from error


def check_children(node: Node, known: Collection[str]) -> None:
    """Reject an unknown element, and text where only elements may stand."""
    for child in node.children:
        if child.tag not in known:
            reject(child, f"unknown element <{child.tag}> in <{node.tag}>; {_expected(child.tag, known)}")
    if node.text:
        reject(node, f"<{node.tag}> holds the text {quoted(node.text.strip())}; {_expected('', known)}")


def _expected(tag: str, known: Collection[str]) -> str:
    names = [f"<{name}>" for name in closest_first(tag, known)]
    return f"expected {', '.join(names)} here" if names else "nothing may stand in it"


def check_attributes(node: Node, known: Collection[str], warnings: Warnings) -> None:
    """Warn about attributes that mean nothing here; those of XML itself are no matter."""
    for name in node.attributes:
        if name not in known and not name.startswith(("xml", "xsi:")):
            close = closest_first(name, known)[:1]
            meant = f"; did you mean {close[0]!r}?" if close else ""
            warnings.add(node, f"unknown attribute {quoted(name)} of <{node.tag}> kept, without effect{meant}")


def single(node: Node, tag: str) -> Node | None:
    """Give the only child of this tag, None without one; reject a second."""
    found = [child for child in node.children if child.tag == tag]
    if len(found) > 1:
        reject(found[1], f"a second <{tag}> in <{node.tag}>; expected one, the first is in line {found[0].line}")
    return found[0] if found else None


def required(node: Node, name: str) -> str:
    """Give an attribute that must be there and not be empty."""
    value = node.attributes.get(name, "").strip()
    if not value:
        what = "is empty" if name in node.attributes else "is missing"
        reject(node, f"<{node.tag}> needs the attribute {name!r}, which {what}")
    return value


def name_of(node: Node, default: str) -> str:
    """Give the attribute `name`, for people's eyes; a default without one."""
    name = node.attributes.get("name", "").strip() or default
    if len(name) > _LONGEST_NAME or not name.isprintable():
        reject(node, f"the name {quoted(name)} must be at most {_LONGEST_NAME} printable characters")
    return name


def whole(node: Node, name: str, minimum: int, maximum: int, default: int | None = None) -> int:
    """Read a whole number within bounds; without the attribute give the default, or reject without one."""
    if default is not None and name not in node.attributes:
        return default
    value = _read(node, name, whole_number)
    if not minimum <= value <= maximum:
        given = quoted(node.attributes[name])
        reject(node, f"{name}={given} of <{node.tag}> must be from {minimum:,} to {maximum:,}")
    return value


def priority(node: Node) -> int:
    """Read the priority of a session or job list: -100 to 100, higher first, 0 without one."""
    return whole(node, "priority", -100, 100, 0)


def number(node: Node, name: str) -> int | float:
    """Read a finite number; a whole one stays an int."""
    text = required(node, name)
    try:
        return whole_number(text)
    except ValueError:
        return _read(node, name, finite_number)


def _read(node: Node, name: str, reader: Callable[[str], _T]) -> _T:
    text = required(node, name)
    try:
        return reader(text)
    except ValueError as error:
        reject(node, f"{name} of <{node.tag}> {error}")
