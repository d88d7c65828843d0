"""What became of each parameter from one data set of a batch to the next, with error bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from park_spool.plots import style
from park_spool.plots.words import with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 6.4, 1.7  # inches, of one panel
MOST_PANELS = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One parameter over the data sets: NaN where there is no value, or no error."""

    name: str
    unit: str
    values: Sequence[float]
    errors: Sequence[float]


def trend_figure(series: Sequence[Series], title: str) -> Figure:
    """Draw a panel for each parameter over the number of the data set, counted from 1."""
    shown = series[:MOST_PANELS]
    figure = style.new_figure((WIDTH, 0.8 + HEIGHT * max(1, len(shown))))
    panels = figure.subplots(max(1, len(shown)), sharex=True, squeeze=False)[:, 0]
    for axes, one in zip(panels, shown, strict=False):
        _draw(style.dressed(axes), one)
    style.write_title(panels[0], title)
    panels[-1].set_xlabel("data set")
    figure.align_ylabels()
    return figure


def _draw(axes: Axes, one: Series) -> None:
    import numpy

    values, errors = numpy.array(one.values, dtype=float), numpy.array(one.errors, dtype=float)
    places = numpy.arange(1, len(values) + 1)
    errors = numpy.where(errors > 0, errors, 0.0)
    axes.errorbar(places, values, errors, fmt="o", ms=2.6, mew=0, color=style.DATA, elinewidth=0.7, ecolor=style.BARS)
    axes.set_ylabel(with_unit(one.name, one.unit), fontsize=8, parse_math=False)
    known = values[numpy.isfinite(values)]
    if known.size > 1 and known.min() > 0 and known.max() > 100 * known.min():
        axes.set_yscale("log")


def series_of(rows: Sequence[Mapping[str, tuple[float, float, str]]]) -> list[Series]:
    """Make series of rows that say (value, error, unit) for each parameter by name; names in the order of first sight.

    >>> series_of([{"Rg": (76.1, 0.2, "Å")}, {}])[0]
    Series(name='Rg', unit='Å', values=[76.1, nan], errors=[0.2, nan])
    """
    nothing = (float("nan"), float("nan"), "")
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        Series(
            name,
            next(row[name][2] for row in rows if name in row),
            [row.get(name, nothing)[0] for row in rows],
            [row.get(name, nothing)[1] for row in rows],
        )
        for name in names
    ]
