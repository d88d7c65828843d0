"""A measured curve with its model: on a page of its own with residuals, or as one of many thumbnails.

`curve` is what a service's reply says: x, y, dy and model of one length (dy and model may be missing), labels, units,
and yscale and xscale, "log" or not. What cannot be drawn (None, NaN, not positive on a log axis) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from park_spool.plots import style
from park_spool.plots.words import axis_label, chisq_words, number_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy import float64
    from numpy.typing import NDArray

    Column = NDArray[float64]

ACROSS, DOWN = 4, 5  # thumbnails on a page
PAGE = (8.27, 11.69)  # inches: A4
DOTS: dict[str, Any] = {"fmt": "o", "mew": 0, "color": style.DATA}

Thumbnail = tuple[str, Mapping[str, Any] | None]  # what it is of, and its curve with chisq and dof, if it has one


def fit_figure(curve: Mapping[str, Any], title: str) -> Figure:
    """Draw data with error bars, the curve over them, and below the residuals in units of the error."""
    figure, upper, lower = style.two_panels()
    x, y, dy, model = columns(curve)
    _scale(upper, curve, x, y, model)
    _draw_curve(upper, x, y, dy, model, str(curve.get("data", "data")))
    _draw_residuals(lower, x, y - model, dy)
    style.write_title(upper, title)
    upper.set_ylabel(axis_label(curve, "y"), parse_math=False)
    lower.set_xlabel(axis_label(curve, "x"), parse_math=False)
    upper.text(0.03, 0.05, chisq_words(curve), transform=upper.transAxes, linespacing=1.5)
    figure.align_ylabels()
    return figure


def thumbnail_figures(thumbnails: Sequence[Thumbnail], title: str) -> Iterator[Figure]:
    """Draw curves small, twenty on a page, each under what it is of; one without a curve has an empty place."""
    waiting = iter(thumbnails)
    pages = -(-len(thumbnails) // (ACROSS * DOWN))
    for number in range(1, pages + 1):
        figure = style.new_figure(PAGE, layout=None)  # twenty places of one size; a layout would take most of the time
        figure.subplots_adjust(left=0.045, right=0.985, bottom=0.025, top=0.945, wspace=0.22, hspace=0.22)
        figure.suptitle(
            f"{title}, page {number} of {pages}" if pages > 1 else title, fontsize=11, y=0.985, parse_math=False
        )
        places = figure.subplots(DOWN, ACROSS, squeeze=False).ravel()
        shown = list(islice(waiting, len(places)))
        for axes, (name, curve) in zip(places, shown, strict=False):
            _draw_thumbnail(style.dressed(axes), name, curve)
        for axes in places[len(shown) :]:
            axes.set_axis_off()
        yield figure


def profile_figure(profile: Mapping[str, Any], title: str) -> Figure:
    """Draw a profile of scattering length density over depth: `z` in Å, `sld` in 1e-6/Å²."""
    figure = style.new_figure()
    axes = style.dressed(figure.subplots())
    axes.plot(_numbers(profile["z"]), _numbers(profile["sld"]), color=style.MODEL, lw=1.4)
    style.write_title(axes, title)
    axes.set_xlabel("z (Å)")
    axes.set_ylabel("SLD (1e-6/Å²)")
    return figure


def columns(curve: Mapping[str, Any]) -> tuple[Column, Column, Column, Column]:
    """Give x, y, dy and model in ascending x, NaN where a value is missing or not finite."""
    import numpy

    missing = [None] * len(curve["x"])
    found = numpy.array([curve.get(key) or missing for key in ("x", "y", "dy", "model")], dtype=float)
    found[~numpy.isfinite(found)] = numpy.nan
    x, y, dy, model = found[:, numpy.argsort(found[0], kind="stable")]
    return x, y, dy, model


def _numbers(values: Any) -> Column:
    import numpy

    return numpy.array(values, dtype=float)


def _scale(axes: Axes, curve: Mapping[str, Any], x: Column, y: Column, model: Column) -> None:
    if curve.get("yscale") == "log":
        _use_log_scale(axes, y, model)
    if curve.get("xscale") == "log" and (x > 0).any():
        axes.set_xscale("log", nonpositive="mask")


def _use_log_scale(axes: Axes, y: Column, model: Column) -> None:
    """Put y on a log axis whose ends follow the positive values; leave it linear if there are none.

    A point that is not positive lies below the picture; its error bar still reaches up into it.
    """
    import numpy

    points, line = y[y > 0], model[model > 0]
    if len(points) + len(line):
        axes.set_yscale("log", nonpositive="clip")
        # A few noisy points may lie decades below all others: they do not set the scale.
        lowest = [
            *(numpy.percentile(points, [2]) if len(points) else ()),
            *([float(numpy.min(line))] if len(line) else ()),
        ]
        axes.set_ylim(min(lowest) / 2, max([*points, *line]) * 2)


def _draw_curve(axes: Axes, x: Column, y: Column, dy: Column, model: Column, name: str) -> None:
    """Draw points with thin error bars, and the model over them."""
    import numpy

    errors = numpy.where(dy > 0, dy, 0.0)
    axes.errorbar(x, y, errors, elinewidth=0.6, ecolor=style.BARS, label=name, ms=2.4, **DOTS)
    if numpy.isfinite(model).any():
        axes.plot(x, model, color=style.MODEL, lw=1.2, zorder=3, label="fit")
    handles, labels = axes.get_legend_handles_labels()
    style.write_legend(axes, handles[::-1], labels[::-1])


def _draw_residuals(axes: Axes, x: Column, difference: Column, dy: Column) -> None:
    """Draw the differences in units of the error, with the band of one error."""
    import numpy

    known = numpy.isfinite(difference) & (dy > 0)
    residuals = difference[known] / dy[known]
    axes.axhspan(-1, 1, color=style.BAND, lw=0)
    axes.axhline(0, color=style.INK, lw=0.6)
    axes.plot(x[known], residuals, "o", ms=2.0, mew=0, color=style.DATA)
    reach = 1.1 * float(numpy.abs(residuals).max(initial=3.0))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("(data − fit) / σ")


def _draw_thumbnail(axes: Axes, name: str, curve: Mapping[str, Any] | None) -> None:
    axes.tick_params(which="both", labelsize=5, length=2, pad=1)
    style.write_title(axes, name, size=6, length=30)
    if curve is None:
        axes.text(0.5, 0.5, "no fit", transform=axes.transAxes, ha="center", fontsize=6)
        return
    x, y, dy, model = columns(curve)
    _scale(axes, curve, x, y, model)
    axes.errorbar(x, y, dy.clip(min=0), elinewidth=0.3, ecolor=style.BARS, ms=0.9, **DOTS)
    axes.plot(x, model, color=style.MODEL, lw=0.7, zorder=3)
    style.thin_out_ticks(axes)
    chisq, dof = curve.get("chisq"), curve.get("dof")
    words = "" if chisq is None else f"χ²/dof {chisq / dof:.3g}" if dof else f"χ² {number_words(chisq)}"
    axes.text(0.05, 0.06, words, transform=axes.transAxes, fontsize=5)
