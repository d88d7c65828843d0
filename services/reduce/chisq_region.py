"""The confidence region of a map: which cells lie within Δχ² of its minimum, and how far they reach along each axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from chisq_grid import Cells
from reply_numbers import finite


def quantile(level: float, degrees: int) -> float:
    """Return the quantile of the chi-square distribution: what Δχ² is with some probability below.

    >>> [round(quantile(level, 2), 2) for level in (0.683, 0.954)], round(quantile(0.683, 1), 2)
    ([2.3, 6.16], 1.0)
    """
    low, high = 0.0, 1.0
    while _probability(high, degrees) < level:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _probability(middle, degrees) < level else (low, middle)
    return (low + high) / 2


def _probability(chisq: float, degrees: int) -> float:
    """Return the regularised lower incomplete gamma function P(k/2, χ²/2) by its series (Abramowitz, Stegun 6.5.29)."""
    half, x = degrees / 2, chisq / 2
    if x <= 0:
        return 0.0
    term = total = 1 / half
    number = half
    while term > total * 1e-15:
        number += 1
        term *= x / number
        total += term
    return min(1.0, total * math.exp(half * math.log(x) - x - math.lgamma(half)))


def region(cells: Cells, delta: float, values: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Say which part of a map lies within `delta` of its minimum.

    `ranges` holds for each axis the first and last value in it, to the cell; None for words.  `is_closed` says whether
    the region ends inside the map: else it may reach further than the scan did.
    """
    lowest = float(cells.values.min(initial=np.inf))
    inside = cells.values <= lowest + delta if math.isfinite(lowest) else np.zeros_like(cells.values, dtype=bool)
    spans = [_span(inside, axis) for axis in range(inside.ndim)]
    ranges = [_range(span, texts) for span, texts in zip(spans, values, strict=True)]
    is_open = any(_touches_an_end(span, len(texts)) for span, texts in zip(spans, values, strict=True))
    return {"delta": delta, "cells": int(inside.sum()), "ranges": ranges, "is_closed": not is_open}


def _touches_an_end(span: tuple[int, int] | None, size: int) -> bool:
    return span is not None and size > 1 and (span[0] == 0 or span[1] == size - 1)


def _span(inside: np.ndarray[Any, np.dtype[np.bool_]], axis: int) -> tuple[int, int] | None:
    """Return the first and last index along an axis that has a cell inside."""
    others = tuple(other for other in range(inside.ndim) if other != axis)
    places = np.flatnonzero(inside.any(axis=others))
    return (int(places[0]), int(places[-1])) if places.size else None


def _range(span: tuple[int, int] | None, texts: Sequence[str]) -> list[float] | None:
    """Return the values at both ends of a span, the smaller first; None if they are no numbers."""
    ends = [_number(texts[index]) for index in span or ()]
    numbers = [end for end in ends if end is not None]
    return sorted(numbers) if len(numbers) == 2 else None


def _number(text: str) -> float | None:
    try:
        return finite(float(text))
    except ValueError:
        return None
