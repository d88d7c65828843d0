"""Chi-square over time: every job a dot, the best so far a staircase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from park_spool.plots import style
from park_spool.plots.words import Points, drawable, number_words, staircase, time_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MANY_DOTS = 2000


def history_figure(points: Points, title: str, jobs: Points = ()) -> Figure:
    """Draw the best chi-square so far as a staircase over time, and every job as a dot.

    `points` (the improvements) and `jobs` are pairs of Unix time in seconds and chisq.
    """
    steps, dots = staircase(drawable(points)), drawable(jobs)
    times = [time for time, _ in (*steps, *dots)] or [0.0]
    unit, seconds = time_unit(max(times) - min(times))
    figure = style.new_figure()
    axes = style.dressed(figure.subplots())
    axes.set_yscale("log")
    span = (max(times) - min(times)) / seconds or 1.0
    axes.set_xlim(-0.03 * span, 1.03 * span)
    _draw_jobs(axes, *_since(dots, min(times), seconds))
    _draw_steps(axes, *_since(steps, min(times), seconds), span)
    style.write_title(axes, title)
    axes.set_xlabel(f"time since the first job ({unit})")
    axes.set_ylabel("χ²")
    if steps or dots:
        _make_room_for_legend(axes)
        style.label_log_ticks(axes)
    else:
        axes.text(0.5, 0.5, "no chi-square yet", transform=axes.transAxes, ha="center")
    return figure


def _since(points: Points, first: float, seconds: float) -> tuple[list[float], list[float]]:
    """Split points into times since the first, in the axis's unit, and chisq."""
    return [(time - first) / seconds for time, _ in points], [chisq for _, chisq in points]


def _draw_jobs(axes: Axes, times: list[float], chisqs: list[float]) -> None:
    """Draw every job as a dot, smaller where there are many."""
    if times:
        size = 3.2 if len(times) < MANY_DOTS else 1.2
        axes.plot(times, chisqs, "o", ms=size, mew=0, color=style.BARS, label=f"jobs ({len(times):,})")


def _draw_steps(axes: Axes, times: list[float], chisqs: list[float], end: float) -> None:
    """Draw the staircase of the best so far, on to the end of the axis."""
    if times:
        label = f"best so far: {number_words(chisqs[-1])}"
        axes.step([*times, end], [*chisqs, chisqs[-1]], where="post", color=style.MODEL, lw=1.4, label=label)
        axes.plot(times, chisqs, "o", ms=3.6, mew=0, color=style.MODEL)


def _make_room_for_legend(axes: Axes) -> None:
    """Raise the upper end of a log axis so that the legend lies above everything drawn."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.14)
    style.write_legend(axes, *axes.get_legend_handles_labels())
