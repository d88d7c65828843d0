"""Tests of the pictures: they are PNG, awkward numbers do no harm, and chisq is named for what it is."""

from __future__ import annotations

import math
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib
import pytest

from park_spool import plots
from park_spool.plots import curves, history, style, trend

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


def test_fit_is_a_png_of_print_size() -> None:
    png = plots.plot_fit({**CURVE, "chisq": 1.5, "dof": 3}, "a film")
    assert size_of(png) == (style.SIZE[0] * style.DPI, style.SIZE[1] * style.DPI)


def test_fit_has_labels_with_units_log_scale_and_residuals() -> None:
    upper, lower = curves.fit_figure(CURVE, "title").axes
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
        ([(1.8e9, 5.0), (1.8e9, 5.0)], [(1.8e9 + i, 5.0 + i) for i in range(history.MANY_DOTS)]),
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


# the others


def test_pictures_come_as_pdf_and_svg_too_with_the_same_bytes_each_time() -> None:
    for kind, head in (("pdf", b"%PDF"), ("svg", b"<?xml")):
        first = plots.plot_fit(CURVE, "a film", kind)  # type: ignore[arg-type]
        assert first.startswith(head)
        if kind == "pdf":
            assert plots.plot_fit(CURVE, "a film", "pdf") == first


def test_both_axes_may_be_logarithmic() -> None:
    upper, lower = curves.fit_figure({**CURVE, "xscale": "log"}, "frame").axes
    assert (upper.get_xscale(), lower.get_xscale()) == ("log", "log")


def test_thumbnails_stand_under_what_they_are_of_twenty_on_a_page() -> None:
    shown = [(f"frame {number}", {**CURVE, "chisq": float(number), "dof": 3}) for number in range(23)]
    pages = list(curves.thumbnail_figures([*shown, ("lost", None)], "annealing"))
    titles = [[axes.get_title() for axes in page.axes if axes.axison] for page in pages]
    assert titles == [[f"frame {number}" for number in range(20)], ["frame 20", "frame 21", "frame 22", "lost"]]
    assert [text.get_text() for text in pages[1].axes[2].texts] == ["χ²/dof 7.33"]
    images, [document] = plots.plot_thumbnails(shown, "annealing"), plots.plot_thumbnails(shown, "annealing", "pdf")
    assert len(images) == 2 and all(size_of(image)[0] == round(curves.PAGE[0] * style.DPI) for image in images)
    assert document.startswith(b"%PDF") and document.count(b"/Type /Page ") == 2


def test_a_trend_has_a_panel_for_each_parameter_with_its_unit_and_errors() -> None:
    rows = [{"Rg": (180.0 + n, 2.0, "Å"), "background": (10.0**-n, float("nan"), "")} for n in range(5)]
    series = trend.series_of([*rows, {}])
    upper, lower = trend.trend_figure(series, "annealing").axes
    assert (upper.get_ylabel(), lower.get_ylabel(), lower.get_yscale()) == ("Rg (Å)", "background", "log")
    assert list(upper.lines[0].get_xdata()) == [1, 2, 3, 4, 5, 6]
    size_of(plots.plot_trend(series, "annealing"))
    size_of(plots.plot_trend([], "nothing"))


def grid(*axes: tuple[str, list[str]], chisq: list[float | None]) -> dict[str, Any]:
    known = [value for value in chisq if value is not None]
    point = {name: values[0] for name, values in axes}
    return {
        "axes": [{"name": name, "values": values} for name, values in axes],
        "chisq": chisq,
        "profiles": [chisq, chisq],
        "minima": [{"chisq": chisq, "point": point} for chisq in sorted(known)[:2]],
        "regions": [{"delta": 2.3}, {"delta": 6.2}],
    }


@pytest.mark.parametrize(
    "found",
    [
        grid(("x", ["1", "2"]), ("y", ["1", "2", "3"]), chisq=[5.0, 8.0, 9.0, 30.0, None, 12.0]),
        grid(("x", ["D2O", "H2O"]), ("$y$", ["1"]), chisq=[5.0, 8.0]),
        grid(("x", ["1", "2"]), ("y", ["1"]), chisq=[None, None]),
        grid(("x", ["1", "nan"]), chisq=[0.0, -3.0]),
        grid(("x", ["1"]), chisq=[None]),
    ],
)
def test_maps_are_drawn_as_far_as_they_go(found: dict[str, Any]) -> None:
    size_of(plots.plot_map(found, "a map") or b"")


def test_a_map_of_three_axes_is_none() -> None:
    assert plots.plot_map(grid(*[(name, ["1"]) for name in "abc"], chisq=[1.0]), "a map") is None


def test_a_profile_is_drawn() -> None:
    size_of(plots.plot_profile({"z": [0.0, 10.0], "sld": [2.07, 6.36]}, "a film"))
