"""Tests of the pictures: they are PNG, awkward numbers do no harm, and chisq is named for what it is."""

from __future__ import annotations

import math
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib
import pytest

from park_spool import plots

CURVE: dict[str, Any] = {
    "x": [0.01, 0.02, 0.03, 0.04],
    "y": [1.0, 0.5, 1e-3, 1e-6],
    "dy": [0.1, 0.05, 1e-4, 1e-6],
    "dx": [0.001, 0.001, 0.001, 0.001],
    "model": [0.9, 0.52, 1.1e-3, 2e-6],
    "xlabel": "Q",
    "xunit": "1/Å",
    "ylabel": "R",
    "yscale": "log",
    "data": "film",
}


def size_of(png: bytes) -> tuple[int, int]:
    """Read width and height out of a PNG, and check its two ends."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def panels(monkeypatch: pytest.MonkeyPatch, curve: dict[str, Any]) -> list[Any]:
    """Draw a fit and give the panels as matplotlib knows them."""
    figures: list[Any] = []
    png = plots._png
    monkeypatch.setattr(plots, "_png", lambda figure: (figures.append(figure), png(figure))[1])
    size_of(plots.plot_fit(curve, "title"))
    return list(figures[0].axes)


def test_fit_is_a_png_of_print_size() -> None:
    png = plots.plot_fit({**CURVE, "chisq": 1.5, "dof": 3}, "a film")
    assert size_of(png) == (plots.SIZE[0] * plots.DPI, plots.SIZE[1] * plots.DPI)


def test_fit_has_labels_with_units_log_scale_and_residuals(monkeypatch: pytest.MonkeyPatch) -> None:
    upper, lower = panels(monkeypatch, CURVE)
    assert (upper.get_yscale(), lower.get_yscale()) == ("log", "linear")
    assert (lower.get_xlabel(), upper.get_ylabel()) == ("Q (1/Å)", "R")
    residuals = lower.lines[-1].get_ydata()
    assert list(residuals) == pytest.approx([1.0, -0.4, -1.0, -1.0])


@pytest.mark.parametrize(
    "changes",
    [
        {"y": [1.0, 0.0, -1e-3, 1e-6]},
        {"y": [-1.0] * 4, "model": [0.0] * 4},
        {"y": [None, math.nan, math.inf, 1.0]},
        {"dy": [0.0, -1.0, math.nan, None]},
        {"dy": None, "model": None, "yscale": "linear"},
        {"x": [0.04, 0.01, 0.03, 0.02]},
        {"x": [], "y": [], "dy": [], "model": []},
        {"data": "_hidden $", "xlabel": "$Q_", "ylabel": "\\frac{$x$", "yunit": "$"},
    ],
)
def test_awkward_curves_are_drawn_as_far_as_they_go(changes: dict[str, Any]) -> None:
    size_of(plots.plot_fit({**CURVE, **changes}, "price $5, \\frac$ " * 20))


@pytest.mark.parametrize(
    ("points", "jobs"),
    [
        ([], []),
        ([(5.0, 3.2)], []),
        ([], [(5.0, 3.2)]),
        ([(0.0, 36597.0), (60.0, 966.19)], [(0.0, 36597.0), (30.0, 84000.0), (4000.0, 966.2)]),
        ([(0.0, 972.05), (9.0, 966.19)], [(i, 967.0 + i) for i in range(8)]),
        ([(0.0, math.nan), (1.0, 0.0), (2.0, -3.0), (math.inf, 1.0)], [(0.0, math.inf)]),
        ([(1.8e9, 5.0), (1.8e9, 5.0)], [(1.8e9 + i, 5.0 + i) for i in range(plots.MANY_DOTS)]),
    ],
)
def test_histories_are_drawn(points: list[Any], jobs: list[Any]) -> None:
    assert size_of(plots.plot_history(points, "history", jobs)) == (1024, 768)


def test_same_numbers_same_picture_whatever_the_users_style(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(2) as threads:
        drawn = list(threads.map(lambda _: plots.plot_fit(CURVE, "a film"), range(4)))
    assert len(set(drawn)) == 1
    assert dict(matplotlib.rcParams) == before


def test_chisq_is_never_mixed_with_reduced_chisq() -> None:
    assert plots.chisq_words({"chisq": 966.193, "dof": 399}) == "χ² = 966.19\nχ²/dof = 2.422 (dof 399)"
    assert plots.chisq_words({"chisq": 966.193, "dof": 0}) == "χ² = 966.19"
    assert plots.chisq_words({"chisq": None, "dof": 399}) == ""
