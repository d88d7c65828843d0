"""The look of all pictures: colours, size, axes and legends of a printed figure.

RACE: not by rcParams: they are one for all threads of a process, and park-web draws in several.  matplotlib is slow to
import, so it is imported when the first figure is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DATA, BARS, MODEL, BAND, INK = "#1f4e79", "#8fa9c4", "#c8102e", "#e9edf1", "#222222"
SIZE = (6.4, 4.8)  # inches
DPI = 160
TITLE_LENGTH = 72

Kind = Literal["png", "pdf", "svg"]


def new_figure(size: tuple[float, float] = SIZE, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """Make an empty picture."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, dpi=DPI, layout=layout, facecolor="white")


def two_panels() -> tuple[Figure, Axes, Axes]:
    """Make a picture of two panels over one x axis, the lower one flat."""
    figure = new_figure()
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3.2, 1))
    return figure, dressed(upper), dressed(lower)


def dressed(axes: Axes) -> Axes:
    """Give axes the look of a printed figure."""
    axes.tick_params(which="both", direction="in", top=True, right=True, color=INK, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=0.8)
    return axes


def write_title(axes: Axes, title: str, size: float = 11, length: int = TITLE_LENGTH) -> None:
    """Write the title, shortened to the width of the picture.

    Titles, labels and names are the user's: a dollar sign in them is no formula, so parse_math is off.
    """
    short = title if len(title) <= length else f"{title[: length - 1]}…"
    axes.set_title(short, fontsize=size, parse_math=False)


def write_legend(axes: Axes, handles: list[Artist], labels: list[Any]) -> None:
    """Write the legend at the upper right, without a frame."""
    legend = axes.legend(handles, labels, loc="upper right", frameon=False, fontsize=9, markerscale=1.5)
    for text in legend.get_texts():
        text.set_parse_math(False)


def label_log_ticks(axes: Axes) -> None:
    """Write plain numbers on a log axis that spans less than a decade, where powers of ten are too few."""
    from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator, ScalarFormatter

    low, high = axes.get_ylim()
    if high / low < 10:
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())


def thin_out_ticks(axes: Axes) -> None:
    """Leave few ticks on small axes, and none between them: they take longer to draw than the curve."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6) if axis.get_scale() == "log" else MaxNLocator(4))
        axis.set_minor_locator(NullLocator())


def encoded(figure: Figure, kind: Kind) -> bytes:
    """Give a picture's bytes; the same picture has the same bytes."""
    target = io.BytesIO()
    metadata: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    figure.savefig(target, format=kind, metadata=metadata)
    return target.getvalue()


def bound(figures: Iterable[Figure]) -> bytes:
    """Give several pictures as the pages of one PDF."""
    from matplotlib.backends.backend_pdf import PdfPages

    target = io.BytesIO()
    with PdfPages(target, metadata={"CreationDate": None}) as pages:
        for figure in figures:
            pages.savefig(figure)
    return target.getvalue()
