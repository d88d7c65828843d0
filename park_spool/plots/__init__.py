"""Draws fits, chi-square histories, batches and maps, at the size at which they are printed.

Guarantees: numbers in, bytes out; no file, no window, no change of matplotlib's global state (Figure objects,
Agg), so that threads may draw side by side.  What cannot be drawn is left out, never an error: a page must show what
there is.  matplotlib is slow to import, so it comes with the first picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from park_spool.plots import chart, curves, history, style, trend
from park_spool.plots.curves import Thumbnail
from park_spool.plots.style import Kind
from park_spool.plots.trend import Series
from park_spool.plots.words import Points, chisq_words, number_words

__all__ = [
    "Kind",
    "Series",
    "Thumbnail",
    "chisq_words",
    "number_words",
    "plot_fit",
    "plot_history",
    "plot_map",
    "plot_profile",
    "plot_thumbnails",
    "plot_trend",
]


def plot_fit(curve: Mapping[str, Any], title: str, kind: Kind = "png") -> bytes:
    """Draw data with error bars, the best curve, and below them the residuals in units of the error.

    `curve` is the `curve` of a fit's reply; where it also has chisq and dof, they are written into the picture.
    """
    return style.encoded(curves.fit_figure(curve, title), kind)


def plot_history(points: Points, title: str, jobs: Points = (), kind: Kind = "png") -> bytes:
    """Draw the best chi-square so far as a staircase over time, and every job as a dot.

    `points` (the improvements) and `jobs` are pairs of Unix time in seconds and chisq.
    """
    return style.encoded(history.history_figure(points, title, jobs), kind)


def plot_profile(profile: Mapping[str, Any], title: str, kind: Kind = "png") -> bytes:
    """Draw a profile of scattering length density over depth."""
    return style.encoded(curves.profile_figure(profile, title), kind)


def plot_thumbnails(thumbnails: Sequence[Thumbnail], title: str, kind: Kind = "png") -> list[bytes]:
    """Draw many curves small: a picture for each page, or one PDF of all pages."""
    pages = curves.thumbnail_figures(thumbnails, title)
    return [style.bound(pages)] if kind == "pdf" else [style.encoded(page, kind) for page in pages]


def plot_trend(series: Sequence[Series], title: str, kind: Kind = "png") -> bytes:
    """Draw each parameter over the data sets of a batch."""
    return style.encoded(trend.trend_figure(series, title), kind)


def plot_map(found: Mapping[str, Any], title: str, kind: Kind = "png") -> bytes | None:
    """Draw what ChisqMap keeps; None where that is no map of one or two axes."""
    figure = chart.map_figure(found, title)
    return None if figure is None else style.encoded(figure, kind)
