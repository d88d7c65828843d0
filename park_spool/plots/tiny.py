"""Small pictures as SVG, without matplotlib: the line of a falling chi-square, and the thumbnail of one fit.

Pure and quick (well under 2 ms each): a page shows hundreds of them. Whatever a service gave is drawn as far as it can
be, and never raises; every text is escaped. Colours follow the reader's theme by the picture's own <style>.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from park_spool.attributes import finite

WIDTH, HEIGHT = 160, 100
TITLE_HEIGHT = 14
MARGIN = 4
MOST_POINTS = 400
MOST_TITLE = 28
DECADES = 8  # a log axis shows no more of them: what is far below is noise
_STYLE = """<style>
.d{fill:none;stroke:#5b6b7b;stroke-width:1}.p{fill:#5b6b7b}.m{fill:none;stroke:#b3261e;stroke-width:1.6}
.t{fill:#1b2733;font:11px system-ui,sans-serif}.n{fill:#5b6b7b;font:11px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.d{stroke:#9fb0c0}.p{fill:#9fb0c0}.m{stroke:#ff8a7a}.t{fill:#e6edf3}.n{fill:#9fb0c0}}
</style>"""
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])


def sparkline_points(values: Sequence[float], width: float = 120.0, height: float = 24.0) -> str:
    """Return the `points` of a polyline through values, evenly spaced; the largest value stands at the top.

    >>> sparkline_points([3.0, 1.0, 2.0], 20, 10)
    '0,0 10,10 20,5'
    >>> sparkline_points([5.0], 20, 10), sparkline_points([])
    ('0,5 20,5', '')
    """
    known = [number for value in values if (number := finite(value)) is not None][:MOST_POINTS]
    if not known:
        return ""
    if len(known) == 1:
        known *= 2
    low, high = min(known), max(known)
    places = ((index / (len(known) - 1), _share(value, low, high)) for index, value in enumerate(known))
    return " ".join(f"{_short(x * width)},{_short((1 - y) * height)}" for x, y in places)


@dataclass(frozen=True, slots=True)
class _Axis:
    """An axis: where a value stands on it, 0 to 1; None for what a log axis has no place for."""

    low: float
    high: float
    is_log: bool

    def place(self, value: float | None) -> float | None:
        shown = _scaled(value, self.is_log)
        return None if shown is None else min(max(_share(shown, self.low, self.high), -0.5), 1.5)


def thumbnail_svg(curve: Any, title: str = "", note: str = "", width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return a picture of a curve: points with error bars, the model as a line, a title, and a note on its right.

    `curve` has x, y, dy, model, xscale and yscale as attributes or keys, as `showing.fits.Curve`; None: no fit.
    """
    drawn = list(_drawn(curve, width, height)) if curve is not None else []
    body = (
        "".join(drawn)
        or f'<text class="n" x="{width / 2:g}" y="{height / 2 + 10:g}" text-anchor="middle">no fit</text>'
    )
    words = _text(title)
    label = words if len(words) <= MOST_TITLE else f"{words[: MOST_TITLE - 1]}…"
    beside = (
        f'<text class="n" x="{width - MARGIN}" y="11" text-anchor="end">{escape(_text(note)[:12])}</text>'
        if note
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{escape(" ".join(filter(None, (words, _text(note)))))}</title>{_STYLE}'
        f'<text class="t" x="{MARGIN}" y="11">{escape(label)}</text>{beside}{body}</svg>'
    )


def _drawn(curve: Any, width: int, height: int) -> Iterator[str]:
    xs, ys, dys, models = (_column(curve, name) for name in ("x", "y", "dy", "model"))
    across = _axis(xs, _get(curve, "xscale") == "log")
    up = _axis([*ys, *models], _get(curve, "yscale") == "log")
    if across is None or up is None:
        return
    plot_width, plot_height, top = width - 2 * MARGIN, height - TITLE_HEIGHT - 2 * MARGIN, TITLE_HEIGHT + MARGIN

    def point(x: float | None, y: float | None) -> tuple[float, float] | None:
        first, second = across.place(x), up.place(y)
        if first is None or second is None:
            return None
        return MARGIN + first * plot_width, top + (1 - second) * plot_height

    bars, points = [], []
    for x, y, dy in zip(xs, ys, [*dys, *[None] * len(xs)], strict=False):
        if (middle := point(x, y)) is None:
            continue
        points.append(f'<circle cx="{_short(middle[0])}" cy="{_short(middle[1])}" r="1.1"/>')
        if dy and y is not None:
            end, start = point(x, y + abs(dy)), point(x, y - abs(dy))
            ends = [one[1] if one else top + plot_height for one in (end, start)]
            bars.append(f"M{_short(middle[0])},{_short(ends[0])}V{_short(ends[1])}")
    yield f'<path class="d" d="{"".join(bars)}"/>' if bars else ""
    yield f'<g class="p">{"".join(points)}</g>' if points else ""
    yield from (f'<polyline class="m" points="{line}"/>' for line in _lines(map(point, xs, models)))


def _lines(points: Iterable[tuple[float, float] | None]) -> Iterator[str]:
    """Yield the unbroken pieces of a line."""
    piece: list[str] = []
    for one in [*points, None]:
        if one is not None:
            piece.append(f"{_short(one[0])},{_short(one[1])}")
        elif piece:
            yield " ".join(piece)
            piece = []


def _axis(values: Iterable[float | None], is_log: bool) -> _Axis | None:
    """Make an axis over values; a log axis with nothing above zero becomes a linear one."""
    several = list(values)
    shown = [place for value in several if (place := _scaled(value, is_log)) is not None]
    if not shown:
        return _axis(several, False) if is_log else None
    low, high = min(shown), max(shown)
    if is_log:
        low = max(low, high - DECADES)
    return _Axis(low, high, is_log)


def _scaled(value: float | None, is_log: bool) -> float | None:
    if value is None or (is_log and value <= 0):
        return None
    return math.log10(value) if is_log else value


def _share(value: float, low: float, high: float) -> float:
    """Return where a value stands between two others, in the middle where these are one; without overflow."""
    half = high / 2 - low / 2
    return (value / 2 - low / 2) / half if half > 0 else 0.5


def _column(curve: Any, name: str) -> list[float | None]:
    found = _get(curve, name)
    several = list(found) if isinstance(found, list | tuple) else []
    if len(several) > MOST_POINTS:
        several = [several[round(place * (len(several) - 1) / (MOST_POINTS - 1))] for place in range(MOST_POINTS)]
    return list(map(finite, several))


def _get(curve: Any, name: str) -> Any:
    return curve.get(name) if isinstance(curve, dict) else getattr(curve, name, None)


def _short(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")


def _text(words: object) -> str:
    """Return a text as XML may hold it."""
    return str(words).translate(_NOT_XML)
