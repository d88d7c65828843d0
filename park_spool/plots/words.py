"""The words and numbers that stand in pictures. Pure, and without matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Points = Sequence[tuple[float, float]]  # time, chisq


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


def drawable(points: Points) -> list[tuple[float, float]]:
    """Leave out what a log axis cannot show."""
    return [(time, chisq) for time, chisq in points if math.isfinite(time) and 0 < chisq < math.inf]


def axis_label(curve: Mapping[str, Any], axis: str) -> str:
    """Write an axis label with its unit, if it has one.

    >>> axis_label({"xlabel": "Q", "xunit": "1/Å"}, "x"), axis_label({}, "y")
    ('Q (1/Å)', 'y')
    """
    return with_unit(str(curve.get(f"{axis}label", axis)), str(curve.get(f"{axis}unit") or ""))


def with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
