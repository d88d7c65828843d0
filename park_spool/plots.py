"""Draws a fit and a chi-square history as PNG, at the size at which they are printed.

Guarantees: numbers in, bytes out; no file, no window, no change of matplotlib's global state (Figure objects,
Agg), so that threads may draw side by side.  What cannot be drawn (None, NaN, not positive on a log axis) is
left out, never an error: a page must show what there is.  matplotlib is slow to import, so it comes late.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy import float64
    from numpy.typing import NDArray

    Column = NDArray[float64]
    Points = Sequence[tuple[float, float]]  # time, chisq

DATA, BARS, MODEL, BAND, INK = "#1f4e79", "#8fa9c4", "#c8102e", "#e9edf1", "#222222"
SIZE = (6.4, 4.8)  # inches
DPI = 160
MANY_DOTS = 2000
TITLE_LENGTH = 72


def plot_fit(curve: Mapping[str, Any], title: str) -> bytes:
    """Draw data with error bars, the best curve, and below them the residuals in units of the error.

    `curve` is the `curve` of a fit's reply: x, y, dy and model of one length (dy and model may be missing),
    labels, units and yscale; where it also has chisq and dof, they are written into the picture.
    """
    figure, upper, lower = _two_panels()
    x, y, dy, model = _columns(curve)
    if curve.get("yscale") == "log":
        _use_log_scale(upper, y, model)
    _draw_curve(upper, x, y, dy, model, str(curve.get("data", "data")))
    _draw_residuals(lower, x, y - model, dy)
    _write_title(upper, title)
    upper.set_ylabel(_label(curve, "y"), parse_math=False)
    lower.set_xlabel(_label(curve, "x"), parse_math=False)
    upper.text(0.03, 0.05, chisq_words(curve), transform=upper.transAxes, linespacing=1.5)
    figure.align_ylabels()
    return _png(figure)


def plot_history(points: Points, title: str, jobs: Points = ()) -> bytes:
    """Draw the best chi-square so far as a staircase over time, and every job as a dot.

    `points` (the improvements) and `jobs` are pairs of Unix time in seconds and chisq.
    """
    steps, dots = staircase(_drawable(points)), _drawable(jobs)
    times = [time for time, _ in (*steps, *dots)] or [0.0]
    unit, seconds = time_unit(max(times) - min(times))
    figure = _figure()
    axes = _axes(figure.subplots())
    axes.set_yscale("log")
    span = (max(times) - min(times)) / seconds or 1.0
    axes.set_xlim(-0.03 * span, 1.03 * span)
    _draw_jobs(axes, *_since(dots, min(times), seconds))
    _draw_steps(axes, *_since(steps, min(times), seconds), span)
    _write_title(axes, title)
    axes.set_xlabel(f"time since the first job ({unit})")
    axes.set_ylabel("χ²")
    if steps or dots:
        _make_room_for_legend(axes)
        _label_log_ticks(axes)
    else:
        axes.text(0.5, 0.5, "no chi-square yet", transform=axes.transAxes, ha="center")
    return _png(figure)


def chisq_words(values: Mapping[str, Any]) -> str:
    """Write chisq and reduced chi-square as far as they are known.

    >>> chisq_words({"chisq": 966.193, "dof": 399})
    'χ² = 966.19\\nχ²/dof = 2.422 (dof 399)'
    >>> chisq_words({})
    ''
    """
    chisq, dof = values.get("chisq"), values.get("dof")
    if chisq is None:
        return ""
    words = f"χ² = {number_words(chisq)}"
    return f"{words}\nχ²/dof = {chisq / dof:.4g} (dof {dof})" if dof else words


def number_words(value: float) -> str:
    """Write a chisq with the digits that matter: two decimals below a million.

    >>> number_words(966.193), number_words(0.00012345), number_words(2.5e7)
    ('966.19', '0.0001234', '2.5e+07')
    """
    return f"{value:.2f}" if 1 <= value < 1e6 else f"{value:.4g}"


def time_unit(span: float) -> tuple[str, float]:
    """Choose the unit for a span of seconds: its name and its length in seconds.

    >>> time_unit(90), time_unit(600), time_unit(86400)
    (('s', 1.0), ('min', 60.0), ('h', 3600.0))
    """
    if span < 3 * 60:
        return "s", 1.0
    return ("min", 60.0) if span < 3 * 3600 else ("h", 3600.0)


def staircase(points: Points) -> list[tuple[float, float]]:
    """Keep the points that are below every earlier one, in the order of time.

    >>> staircase([(2.0, 5.0), (1.0, 9.0), (3.0, 7.0)])
    [(1.0, 9.0), (2.0, 5.0)]
    """
    lowest, steps = math.inf, []
    for time, chisq in sorted(points):
        if chisq < lowest:
            lowest = chisq
            steps.append((time, chisq))
    return steps


def _drawable(points: Points) -> list[tuple[float, float]]:
    """Leave out what a log axis cannot show."""
    return [(time, chisq) for time, chisq in points if math.isfinite(time) and 0 < chisq < math.inf]


def _since(points: Points, first: float, seconds: float) -> tuple[list[float], list[float]]:
    """Split points into times since the first, in the axis's unit, and chisq."""
    return [(time - first) / seconds for time, _ in points], [chisq for _, chisq in points]


def _columns(curve: Mapping[str, Any]) -> tuple[Column, Column, Column, Column]:
    """Give x, y, dy and model in ascending x, NaN where a value is missing or not finite."""
    import numpy

    missing = [None] * len(curve["x"])
    columns = numpy.array([curve.get(key) or missing for key in ("x", "y", "dy", "model")], dtype=float)
    columns[~numpy.isfinite(columns)] = numpy.nan
    x, y, dy, model = columns[:, numpy.argsort(columns[0], kind="stable")]
    return x, y, dy, model


def _label(curve: Mapping[str, Any], axis: str) -> str:
    """Write an axis label with its unit, if it has one."""
    name, unit = curve.get(f"{axis}label", axis), curve.get(f"{axis}unit", "")
    return f"{name} ({unit})" if unit else str(name)


def _figure() -> Figure:
    """Make an empty picture."""
    from matplotlib.figure import Figure

    return Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="white")


def _two_panels() -> tuple[Figure, Axes, Axes]:
    """Make a picture of two panels over one x axis, the lower one flat."""
    figure = _figure()
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3.2, 1))
    return figure, _axes(upper), _axes(lower)


def _axes(axes: Axes) -> Axes:
    """Give axes the look of a printed figure.

    RACE: not by rcParams: they are one for all threads of the process, and park-web draws in several.
    """
    axes.tick_params(which="both", direction="in", top=True, right=True, color=INK, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=0.8)
    return axes


def _write_title(axes: Axes, title: str) -> None:
    """Write the title, shortened to the width of the picture.

    Titles, labels and names are the user's: a dollar sign in them is no formula, so parse_math is off.
    """
    short = title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…"
    axes.set_title(short, fontsize=11, parse_math=False)


def _write_legend(axes: Axes, handles: list[Artist], labels: list[Any]) -> None:
    """Write the legend at the upper right, without a frame."""
    legend = axes.legend(handles, labels, loc="upper right", frameon=False, fontsize=9, markerscale=1.5)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _png(figure: Figure) -> bytes:
    """Give the picture's bytes."""
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


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
    dots: dict[str, Any] = {"fmt": "o", "ms": 2.4, "mew": 0, "color": DATA}
    axes.errorbar(x, y, errors, elinewidth=0.6, ecolor=BARS, label=name, **dots)
    if numpy.isfinite(model).any():
        axes.plot(x, model, color=MODEL, lw=1.2, zorder=3, label="fit")
    handles, labels = axes.get_legend_handles_labels()
    _write_legend(axes, handles[::-1], labels[::-1])


def _draw_residuals(axes: Axes, x: Column, difference: Column, dy: Column) -> None:
    """Draw the differences in units of the error, with the band of one error."""
    import numpy

    known = numpy.isfinite(difference) & (dy > 0)
    residuals = difference[known] / dy[known]
    axes.axhspan(-1, 1, color=BAND, lw=0)
    axes.axhline(0, color=INK, lw=0.6)
    axes.plot(x[known], residuals, "o", ms=2.0, mew=0, color=DATA)
    reach = 1.1 * float(numpy.abs(residuals).max(initial=3.0))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("(data − fit) / σ")


def _draw_jobs(axes: Axes, times: list[float], chisqs: list[float]) -> None:
    """Draw every job as a dot, smaller where there are many."""
    if times:
        size = 3.2 if len(times) < MANY_DOTS else 1.2
        axes.plot(times, chisqs, "o", ms=size, mew=0, color=BARS, label=f"jobs ({len(times):,})")


def _draw_steps(axes: Axes, times: list[float], chisqs: list[float], end: float) -> None:
    """Draw the staircase of the best so far, on to the end of the axis."""
    if times:
        label = f"best so far: {number_words(chisqs[-1])}"
        axes.step([*times, end], [*chisqs, chisqs[-1]], where="post", color=MODEL, lw=1.4, label=label)
        axes.plot(times, chisqs, "o", ms=3.6, mew=0, color=MODEL)


def _make_room_for_legend(axes: Axes) -> None:
    """Raise the upper end of a log axis so that the legend lies above everything drawn."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.14)
    _write_legend(axes, *axes.get_legend_handles_labels())


def _label_log_ticks(axes: Axes) -> None:
    """Write plain numbers on a log axis that spans less than a decade, where powers of ten are too few."""
    from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator, ScalarFormatter

    low, high = axes.get_ylim()
    if high / low < 10:
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
