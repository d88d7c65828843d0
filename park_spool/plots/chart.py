"""The map of chisq over two axes of a scan, or its profile over one; the minima and regions that the reducer found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from park_spool.plots import style
from park_spool.plots.words import number_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_MINIMA = 6


def map_figure(found: Mapping[str, Any], title: str) -> Figure | None:
    """Draw what ChisqMap keeps; None where it has neither one nor two axes, or its cells are not in it."""
    axes_of = found["axes"]
    if len(axes_of) == 2 and found["chisq"] is not None:
        return _drawn_map(found, title)
    return _drawn_profile(found, title) if len(axes_of) == 1 else None


def _drawn_map(found: Mapping[str, Any], title: str) -> Figure:
    import numpy
    from matplotlib.colors import LogNorm

    down, across = found["axes"]
    shape = len(down["values"]), len(across["values"])
    cells = numpy.array(found["chisq"], dtype=float).reshape(shape)
    cells[~(cells > 0)] = numpy.nan
    figure = style.new_figure()
    axes = style.dressed(figure.subplots())
    x, y = _places(axes, "x", across), _places(axes, "y", down)
    if numpy.isfinite(cells).any():
        mesh = axes.pcolormesh(x, y, cells, norm=LogNorm(), cmap="viridis_r", shading="nearest", rasterized=True)
        figure.colorbar(mesh, ax=axes, label="χ²")
        _draw_contours(axes, x, y, cells, found["regions"])
    for number, minimum in enumerate(found["minima"][:MOST_MINIMA]):
        place = [_place(minimum["point"][one["name"]], one["values"]) for one in (across, down)]
        label = f"lowest: χ² = {number_words(minimum['chisq'])}" if number == 0 else None
        axes.plot(
            *place, "o" if number else "*", ms=4 if number else 11, mec="white", mew=0.8, color=style.MODEL, label=label
        )
    if found["minima"]:
        style.write_legend(axes, *axes.get_legend_handles_labels())
    style.write_title(axes, title)
    return figure


def _draw_contours(axes: Axes, x: Sequence[float], y: Sequence[float], cells: Any, regions: list[Any]) -> None:
    """Draw the edges of the confidence regions, where the grid is fine enough to have any."""
    import numpy

    lowest = float(numpy.nanmin(cells))
    levels = sorted({lowest + region["delta"] for region in regions})
    if min(cells.shape) > 1 and levels and levels[-1] < float(numpy.nanmax(cells)):
        axes.contour(x, y, cells, levels=levels, colors="white", linewidths=0.8)


def _drawn_profile(found: Mapping[str, Any], title: str) -> Figure:
    (axis,) = found["axes"]
    figure = style.new_figure()
    axes = style.dressed(figure.subplots())
    x = _places(axes, "x", axis)
    axes.plot(x, [float("nan") if one is None else one for one in found["profiles"][0]], "o-", ms=3, color=style.DATA)
    for region in found["regions"] if found["minima"] else ():
        axes.axhline(found["minima"][0]["chisq"] + region["delta"], color=style.BARS, lw=0.7)
    axes.set_ylabel("χ²")
    style.write_title(axes, title)
    return figure


def _places(axes: Axes, way: str, axis: Mapping[str, Any]) -> list[float]:
    """Return where the values of an axis stand, and label it: numbers stand at themselves, words in a row."""
    places = [_place(text, axis["values"]) for text in axis["values"]]
    getattr(axes, f"set_{way}label")(axis["name"], parse_math=False)
    if not _are_numbers(axis["values"]):
        getattr(axes, f"set_{way}ticks")(places, axis["values"], parse_math=False)
    return places


def _place(text: str, values: Sequence[str]) -> float:
    return float(text) if _are_numbers(values) else float(values.index(text))


def _are_numbers(values: Sequence[str]) -> bool:
    try:
        return all(float(text) == float(text) for text in values)
    except ValueError:
        return False
