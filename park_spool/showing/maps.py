"""The maps of chi-square that ChisqMap kept, as they are drawn; checked, since any reducer may put such a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from park_spool.archive.reading import ArchiveReader
from park_spool.attributes import finite
from park_spool.delivering.gathering import maps
from park_spool.errors import NotFound
from park_spool.showing.fits import Numbers, text_of


@dataclass(frozen=True, slots=True)
class MapAxis:
    """An axis of a map; `numbers` are its values where they are numbers."""

    name: str
    values: tuple[str, ...]
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Minimum:
    """A cell below all its neighbours, and the values of the axes there."""

    chisq: float
    point: dict[str, str]


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a map within `delta` of its minimum; `ranges` are those of the axes, None for words."""

    confidence: float | None
    delta: float | None
    cells: int
    ranges: tuple[tuple[float, float] | None, ...]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class ChisqMapShown:
    """The map over one scan: `chisq` in row-major order, the last axis running fastest; None where no job is ok yet.

    It is None as a whole where the map is too large to be kept as one text.
    """

    sid: str
    group: int
    joblist: int
    axes: tuple[MapAxis, ...]
    cells: int
    filled: int
    chisq: Numbers | None
    minima: tuple[Minimum, ...]
    profiles: tuple[Numbers, ...]
    regions: tuple[Region, ...]


def chisq_maps(reader: ArchiveReader, sid: str, group: int) -> tuple[ChisqMapShown, ...]:
    """Return the maps of a group, by their job lists."""
    texts = [text for text in reader.texts(sid) if text.group == group]
    return tuple(map_of(sid, group, number, found) for number, found in sorted(maps(texts).items()))


def chisq_map(reader: ArchiveReader, sid: str, group: int, joblist: int) -> ChisqMapShown:
    """Return the map of a job list. Raises NotFound if there is none (yet)."""
    for one in chisq_maps(reader, sid, group):
        if one.joblist == joblist:
            return one
    raise NotFound(f"job list {group}.{joblist} of {sid} has no map (yet): ChisqMap makes one of a <scan>")


def map_of(sid: str, group: int, joblist: int, found: Mapping[str, Any]) -> ChisqMapShown:
    """Show what ChisqMap kept; what is odd in it is left out."""
    axes = tuple(_axis(one) for one in _dicts(found.get("axes")))
    chisq = found.get("chisq")
    return ChisqMapShown(
        *(sid, group, joblist, axes, _whole(found.get("cells")), _whole(found.get("filled"))),
        tuple(map(finite, chisq)) if isinstance(chisq, list) else None,
        tuple(one for entry in _dicts(found.get("minima")) if (one := _minimum(entry))),
        tuple(tuple(map(finite, one)) for one in _list(found.get("profiles")) if isinstance(one, list)),
        tuple(map(_region, _dicts(found.get("regions")))),
    )


def _axis(entry: Mapping[str, Any]) -> MapAxis:
    values = tuple(map(text_of, _list(entry.get("values"))))
    return MapAxis(text_of(entry.get("name")), values, tuple(map(_number, values)))


def _number(text: str) -> float | None:
    try:
        return finite(float(text))
    except ValueError:
        return None


def _minimum(entry: Mapping[str, Any]) -> Minimum | None:
    chisq, point = finite(entry.get("chisq")), entry.get("point")
    if chisq is None or not isinstance(point, dict):
        return None
    return Minimum(chisq, {str(name): text_of(value) for name, value in point.items()})


def _region(entry: Mapping[str, Any]) -> Region:
    confidence, delta = finite(entry.get("confidence")), finite(entry.get("delta"))
    ranges = tuple(map(_range, _list(entry.get("ranges"))))
    return Region(confidence, delta, _whole(entry.get("cells")), ranges, entry.get("is_closed") is True)


def _range(found: object) -> tuple[float, float] | None:
    ends = list(map(finite, found)) if isinstance(found, list) and len(found) == 2 else [None]
    first, last = ends[0], ends[-1]
    return None if first is None or last is None else (first, last)


def _whole(found: object) -> int:
    return int(finite(found) or 0)


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


def _dicts(found: object) -> list[dict[str, Any]]:
    return [one for one in _list(found) if isinstance(one, dict)]
