"""The table of a fit's parameters: values with errors, the place of each in its box, and where other starts ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from park_spool.archive.finding import Found
from park_spool.progress import measured
from park_spool.showing import charts
from park_spool.showing.charts import Quartiles
from park_spool.showing.fits import FitShown, Parameter, place_in
from park_spool.showing.session import SessionPage


@dataclass(frozen=True, slots=True)
class ParameterShown:
    """A row. `value`, `minimum`, `maximum`, `start` and `spread` are texts; places are 0 at min to 1 at max.

    `spread` says median and quartiles of the good fits; `low` and `high` are the places of these quartiles.
    """

    name: str
    unit: str
    value: str
    minimum: str
    maximum: str
    start: str
    place: float | None
    at_bound: str
    spread: str
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """Say where it stands in its box.

        >>> ParameterShown("film", "Å", "258.9", "50", "500", "", 0.464, "", "", None, None).words
        '46 % of the way from 50 to 500'
        """
        if self.place is None:
            return ""
        bound = {"min": ", at its lower bound", "max": ", at its upper bound"}.get(self.at_bound, "")
        return f"{self.place * 100:.0f} % of the way from {self.minimum} to {self.maximum}{bound}"


def tables(found: Found | None, page: SessionPage) -> dict[int, tuple[ParameterShown, ...]]:
    """Make the table of the best fit of each group that has one, with the spread where it has several starts."""
    rows = {}
    for group in page.groups:
        if group.best is not None:
            has_spread = found is not None and group.kind == "fit" and group.ok > 1
            which = page.session.sid, group.group, group.best.chisq
            good = charts.good_fits(found.reader, *which) if found and has_spread else {}
            rows[group.group] = table(group.best, good)
    return rows


def table(fit: FitShown, good: Mapping[str, Quartiles] = MappingProxyType({})) -> tuple[ParameterShown, ...]:
    """Make the rows of a fit's table; `good` says of parameters how the good fits of its group are spread."""
    return tuple(_row(one, good.get(one.name)) for one in fit.parameters)


def _row(one: Parameter, good: Quartiles | None) -> ParameterShown:
    value = "–" if one.value is None else measured(one.value, one.error)
    bounds = (_plain(one.min), _plain(one.max), _plain(one.start))
    low, high = (None, None) if good is None else (place_in(end, one.min, one.max) for end in (good.lower, good.upper))
    return ParameterShown(one.name, one.unit, value, *bounds, one.place, one.at_bound, _spread(good), low, high)


def _spread(good: Quartiles | None) -> str:
    """Say how far the good fits agree.

    >>> _spread(Quartiles(17, 258.1, 258.7, 258.86, 259.02, 262.0)), _spread(Quartiles(1, 2.0, 2.0, 2.0, 2.0, 2.0))
    ('258.86 (258.7 … 259.02)', '')
    """
    if good is None or good.count < 2:
        return ""
    lower, median, upper = _plain(good.lower), _plain(good.median), _plain(good.upper)
    return f"{median}, all {good.count} alike" if lower == median == upper else f"{median} ({lower} … {upper})"


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.5g}"
