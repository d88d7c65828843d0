"""Reads a frame from canSAS 1D XML (cansas1d/1.0 and urn:cansas1d:1.1): each SASdata of each SASentry is a frame.

A frame is called like its entry (its name, else its Title, else its Run); where an entry has several, they are
ENTRY/NAME, or ENTRY/1, ENTRY/2 where they have no names.  The order is the file's.
Guarantees: no entity and nothing external is taken from the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from frame_choice import chosen_frame
from frame_units import framed, one_unit
from frames import SLIT, SLIT_COLUMNS, Column, Frame, FrameError, Source

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    Point = dict[str, Element]

TAGS = {"Q": "Q", "I": "I", "dI": "Idev", "dQ": "Qdev"}


def parse_xml(xml: bytes, name: str, wanted: str | None = None, select: str = "", q_unit: str = "1/Å") -> Frame:
    """Make a frame of one SASdata of a file called `name`."""
    frames = list(_frames(_root(xml, name)))
    title, data = frames[chosen_frame([title for title, _ in frames], wanted, select, name)]
    source = Source.of(name, title, len(frames), "Idata")
    points = [{_tag(child): child for child in point} for point in _children(data, "Idata")]
    for tag in SLIT_COLUMNS:
        if any(tag in point and _number(point, tag, source.where) != 0 for point in points):
            raise FrameError(f"{source.where}: found {tag}: {SLIT}")
    has_width = all("Qdev" in point for point in points)
    tags = {column: tag for column, tag in TAGS.items() if has_width or column != "dQ"}
    columns = {column: _column(points, tag, source.where) for column, tag in tags.items()}
    units = {column: _unit(points, tag, source.where) for column, tag in tags.items()}
    return framed(source, columns, units, q_unit)


def _root(xml: bytes, name: str) -> Element:
    try:
        root: Element = fromstring(xml)
    except DefusedXmlException as error:
        raise FrameError(f"{name}: expected canSAS 1D XML without entities, found one: refused") from error
    except (ParseError, ValueError, LookupError) as error:
        raise FrameError(f"{name}: expected canSAS 1D XML, and it cannot be read: {error}") from error
    if _tag(root) != "SASroot":
        raise FrameError(f"{name}: expected canSAS 1D XML with <SASroot> outermost, found <{_tag(root)}>")
    return root


def _frames(root: Element) -> Iterator[tuple[str, Element]]:
    """Yield each frame with its name."""
    for number, entry in enumerate(_children(root, "SASentry"), 1):
        texts = [entry.get("name"), *(child.text for tag in ("Title", "Run") for child in _children(entry, tag))]
        title = next((text.strip() for text in texts if text and text.strip()), str(number))
        sets = list(_children(entry, "SASdata"))
        for place, data in enumerate(sets, 1):
            yield (title if len(sets) == 1 else f"{title}/{data.get('name') or place}"), data


def _column(points: list[Point], tag: str, where: str) -> Column:
    return np.array([_number(point, tag, f"{where}, Idata {place}") for place, point in enumerate(points, 1)])


def _number(point: Point, tag: str, place: str) -> float:
    if tag not in point:
        raise FrameError(f"{place}: expected <{tag}>, found {', '.join(f'<{other}>' for other in point) or 'nothing'}")
    text = (point[tag].text or "").strip()
    try:
        return float(text)
    except ValueError:
        raise FrameError(f"{place}: expected a number in <{tag}>, found {text!r}") from None


def _unit(points: list[Point], tag: str, where: str) -> str:
    return one_unit((point[tag].get("unit", "") for point in points), tag, where)


def _children(parent: Element, tag: str) -> Iterator[Element]:
    return (child for child in parent if _tag(child) == tag)


def _tag(element: Element) -> str:
    """Give an element's name without its name space; "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
