"""Small pictures: what is drawn, that nothing odd raises, and that no text gets out of its place."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool.plots.tiny import sparkline_points, thumbnail_svg
from park_spool.showing.fits import curve_of

SVG = "{http://www.w3.org/2000/svg}"
FILM = {"x": [0.01, 0.02, 0.04], "y": [1.0, 0.1, 0.01], "dy": [0.1, 0.02, 0.02], "model": [1.0, 0.1, 0.01]}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
COLUMN = st.lists(st.floats() | st.integers() | st.none() | st.text(max_size=3), max_size=12) | ANY
CURVES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("x", "y", "dy", "model"), COLUMN)
    | {name: st.sampled_from(["log", "linear"]) | ANY for name in ("xscale", "yscale")},
)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def heights(svg: str) -> list[float]:
    return [float(one.get("cy", "")) for one in parsed(svg).iter(f"{SVG}circle")]


@pytest.mark.parametrize("curve", [FILM | {"yscale": "log"}, curve_of(FILM | {"yscale": "log"})])
def test_points_error_bars_and_model_are_drawn(curve: Any) -> None:
    svg = thumbnail_svg(curve, "film.ort", "1.02")
    assert parsed(svg).findtext(f"{SVG}title") == "film.ort 1.02"
    first, second, third = heights(svg)
    assert second - first == pytest.approx(third - second, abs=0.2)  # decades are of one length
    [bars] = [one.get("d", "") for one in parsed(svg).iter(f"{SVG}path")]
    assert bars.count("V") == 3
    [line] = [one.get("points", "") for one in parsed(svg).iter(f"{SVG}polyline")]
    assert [float(point.partition(",")[2]) for point in line.split()] == pytest.approx(heights(svg))
    assert "prefers-color-scheme:dark" in svg


def test_a_linear_axis_is_linear() -> None:
    first, second, third = heights(thumbnail_svg(FILM))
    assert (second - first) / (third - first) == pytest.approx(0.9 / 0.99, abs=0.02)


def test_a_gap_in_the_model_is_a_gap() -> None:
    svg = thumbnail_svg({**FILM, "model": [1.0, None, 0.01]})
    assert len(list(parsed(svg).iter(f"{SVG}polyline"))) == 2


@pytest.mark.parametrize("curve", [None, {}, {"x": [1.0]}, {"x": "no", "y": 3}, {"x": [None], "y": [None]}, 7, []])
def test_what_cannot_be_drawn_is_said(curve: Any) -> None:
    assert "no fit" in thumbnail_svg(curve, "film")


def test_texts_are_escaped() -> None:
    hostile = "</title><script>alert(1)</script>\"'&\x00\ud800"
    svg = thumbnail_svg(FILM, hostile, hostile)
    assert "<script" not in svg and "\x00" not in svg
    assert parsed(svg).findtext(f"{SVG}title", "").startswith("</title><script>alert(1)</script>\"'&")


@given(CURVES | ANY, st.text(), st.text())
def test_nothing_raises_and_all_is_xml(curve: Any, title: str, note: str) -> None:
    numbers = [word for one in parsed(thumbnail_svg(curve, title, note)).iter() for word in one.attrib.values()]
    assert not any("nan" in word or "inf" in word for word in numbers)


@given(st.lists(st.floats() | st.integers(), max_size=60))
def test_a_sparkline_stays_in_its_box(values: list[float]) -> None:
    for point in sparkline_points(values, 100, 20).split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 100 and 0 <= y <= 20


def test_huge_curves_are_thinned() -> None:
    many = list(map(float, range(1, 100_000)))
    assert len(thumbnail_svg({"x": many, "y": many, "dy": many, "model": many})) < 60_000
