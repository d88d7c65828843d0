"""What the charts of one group draw: its history of chi-square, its fits, the spread over all starts, profiles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from park_spool.archive.fit_rows import SpreadRow
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import GroupRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.delivering.gathering import Gathering
from park_spool.errors import NotFound
from park_spool.showing.fits import FitShown, Profile, of_fit

MOST_STARTS = 1000  # fits of a group, the best ones, whose parameters are drawn
GOOD = 1.1  # a fit is good whose chisq is not above the best one's by more than this factor


@dataclass(frozen=True, slots=True)
class Step:
    """An improvement: when the job finished, its chisq, and which node ran it."""

    job: str
    finished: float
    chisq: float
    node: str


@dataclass(frozen=True, slots=True)
class History:
    """The staircase of a group's best chisq, and (finished, chisq) of its jobs, thinned out if they are many."""

    sid: str
    group: int
    name: str
    steps: tuple[Step, ...]
    jobs: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Quartiles:
    """How numbers are spread, in their own unit; all None where there is none."""

    count: int
    least: float | None = None
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class SpreadParameter:
    """One parameter over the starts: `values` are (value, chisq, job), the lowest chisq first.

    `good` is the spread over the fits that are nearly as good as the best (chisq within `factor`), `all` over all.
    """

    name: str
    unit: str
    min: float | None
    max: float | None
    values: tuple[tuple[float, float, str], ...]
    good: Quartiles
    all: Quartiles


@dataclass(frozen=True, slots=True)
class Spread:
    """The parameters of the best fits of a group, at most a thousand; `fits` says of how many."""

    sid: str
    group: int
    name: str
    factor: float
    fits: int
    parameters: tuple[SpreadParameter, ...]


@dataclass(frozen=True, slots=True)
class ProfileShown:
    """The profile of a group's best fit; `profile` is None where the service gives none."""

    sid: str
    group: int
    job: str
    label: str
    profile: Profile | None


def group_of(reader: ArchiveReader, sid: str, group: int) -> GroupRow:
    """Return a group's row. Raises NotFound if the session has no such group."""
    for row in reader.groups(reader.session(sid).sid):
        if row.group == group:
            return row
    raise NotFound(f"session {sid} has no group {group}")


def history(reader: ArchiveReader, sid: str, group: int) -> History:
    """Return the history of a group. Raises NotFound if there is no such group."""
    picture = reader.history_picture(sid, group)
    steps = tuple(Step(row.job, row.finished, row.chisq, row.node or "") for row in picture.steps)
    return History(picture.row.sid, group, picture.row.name, steps, tuple(picture.jobs))


def best_fit(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int) -> FitShown | None:
    """Return a group's best fit, None while no job gave a chisq. Raises NotFound if there is no such group."""
    row = group_of(reader, sid, group)
    fit = Gathering(reader, disk, settings.layout, sid).best(group)
    return None if fit is None else of_fit(sid, row.name, fit)


def fit_of_job(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, job: str) -> FitShown:
    """Return the fit of one job (1.1.17). Raises NotFound if there is no such job, or if it has no chisq."""
    fit, name = Gathering(reader, disk, settings.layout, sid).fit(job)
    return of_fit(sid, name, fit)


def profile(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int) -> ProfileShown:
    """Return the profile of a group's best fit. Raises NotFound if there is no such group, or no fit yet."""
    fit = best_fit(settings, disk, reader, sid, group)
    if fit is None:
        raise NotFound(f"no job of group {group} of {sid} has given a chisq yet")
    return ProfileShown(sid, group, fit.job, fit.label, fit.profile)


def spread(reader: ArchiveReader, sid: str, group: int, factor: float = GOOD, most: int = MOST_STARTS) -> Spread:
    """Return the spread of a group's parameters over its best fits. Raises NotFound if there is no such group."""
    row = group_of(reader, sid, group)
    boxes = {} if row.best_job is None else _boxes(reader, sid, row.best_job)
    return spread_of(sid, row, boxes, reader.spread(sid, group, most), factor)


def good_fits(
    reader: ArchiveReader, sid: str, group: int, best: float, factor: float = GOOD, most: int = MOST_STARTS
) -> dict[str, Quartiles]:
    """Return how the parameters of the fits that are nearly as good as the best are spread, without reading all."""
    values: dict[str, list[float]] = {}
    for one in reader.spread(sid, group, most, factor * best):
        if one.value is not None:
            values.setdefault(one.name, []).append(one.value)
    return {name: quartiles(known) for name, known in values.items()}


def _boxes(reader: ArchiveReader, sid: str, job: str) -> dict[str, tuple[float | None, float | None]]:
    group, joblist, number = map(int, job.split("."))
    return {one.name: (one.min, one.max) for one in reader.parameters(sid, group, joblist, number)}


def spread_of(
    sid: str,
    row: GroupRow,
    boxes: Mapping[str, tuple[float | None, float | None]],
    rows: Sequence[SpreadRow],
    factor: float,
) -> Spread:
    """Work out a spread from the parameters of fits; `boxes` are bounds by the parameters' names."""
    best = min((one.chisq for one in rows), default=0.0)
    units: dict[str, str] = {}
    values: dict[str, list[tuple[float, float, str]]] = {}
    for one in rows:
        units[one.name] = units.get(one.name) or one.unit or ""
        if one.value is not None:
            values.setdefault(one.name, []).append((one.value, one.chisq, one.job))
    shown = []
    for name, unit in units.items():
        known = values.get(name, [])
        good = quartiles(value for value, chisq, _ in known if chisq <= factor * best)
        spans = good, quartiles(value for value, _, _ in known)
        shown.append(SpreadParameter(name, unit, *boxes.get(name, (None, None)), tuple(known), *spans))
    return Spread(sid, row.group, row.name, factor, len({one.job for one in rows}), tuple(shown))


def quartiles(values: Iterable[float]) -> Quartiles:
    """Work out median and quartiles, by linear interpolation between the sorted values.

    >>> quartiles([4.0, 1.0, 2.0, 3.0])
    Quartiles(count=4, least=1.0, lower=1.75, median=2.5, upper=3.25, most=4.0)
    """
    known = sorted(values)
    if not known:
        return Quartiles(0)
    return Quartiles(len(known), *(_at(known, quarter / 4) for quarter in range(5)))


def _at(known: Sequence[float], part: float) -> float:
    place = part * (len(known) - 1)
    low = math.floor(place)
    high = min(low + 1, len(known) - 1)
    share = place - low
    return known[low] * (1 - share) + known[high] * share
