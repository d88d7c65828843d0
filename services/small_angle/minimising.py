"""Least squares from one start, and the errors of what it found.

Guarantees: deterministic.  The fit moves the logarithm of numbers that span decades, and takes and gives their values.
Errors are one standard deviation from (JᵀJ)⁻¹ at the end, with J by the values themselves, not scaled by reduced
chi-square; a number that the curve does not determine has None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from frames import Column
from problem import Matrix, Problem
from scattering_models import Values

MOST_STEPS = 300
_LOST = 1e-10  # a direction so much flatter than the steepest is not determined
_PART = 1e-3  # the part that a number has in such a direction, from which on it is not determined either

Start = dict[str, float]


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where a fit ended: the values of all numbers, chisq there, whether it converged, and its steps."""

    values: dict[str, float]
    chisq: float
    success: bool
    nfev: int


class Coordinates:
    """What the fit moves: the fitted numbers in a row, some by their logarithm."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = [one.name for one in problem.fitted]
        self.logs = np.array([one.quantity.is_log for one in problem.fitted])

    def place(self, values: list[float]) -> Column:
        """Give the coordinates of the fitted numbers' values."""
        column = np.array(values)
        with np.errstate(divide="ignore"):
            return np.where(self.logs, np.log(np.where(self.logs, column, 1.0)), column)

    def values(self, place: Column) -> dict[str, float]:
        """Give the values of all numbers at some coordinates."""
        moved = np.where(self.logs, np.exp(np.where(self.logs, place, 0.0)), place)
        return self.problem.held | dict(zip(self.names, map(float, moved), strict=True))

    def residuals(self, place: Column) -> Column:
        """Compute the residuals at some coordinates."""
        return self.problem.residuals(self.values(place))

    def slopes(self, place: Column) -> Matrix:
        """Compute the slopes of the residuals by the coordinates."""
        values = self.values(place)
        return self.problem.slopes(values) * np.where(self.logs, [values[name] for name in self.names], 1.0)


def minimised(problem: Problem, start: Start) -> Minimum:
    """Find the minimum of chisq next to a start, inside the boxes (trust region reflective).

    Raises ValueError where chisq is not finite at the start.
    """
    from scipy.optimize import least_squares

    if not math.isfinite(problem.chisq(problem.held | start)):
        raise ValueError(f"chisq is not finite at the start {start}: check the values that are given")
    moved = Coordinates(problem)
    low, high = (moved.place([getattr(one, end) for one in problem.fitted]) for end in ("low", "high"))
    begin = np.clip(moved.place([start[name] for name in moved.names]), low, high)
    with np.errstate(all="ignore"):
        result = least_squares(
            moved.residuals, begin, moved.slopes, bounds=(low, high), x_scale="jac", max_nfev=MOST_STEPS
        )
    values = moved.values(result.x)
    for number, side in zip(problem.fitted, result.active_mask, strict=True):
        # What is at an end of its box, but for rounding, is said to be there.
        values[number.name] = (number.low, values[number.name], number.high)[side + 1]
    return Minimum(values, problem.chisq(values), bool(result.success), int(result.nfev))


def errors_of(problem: Problem, values: Values) -> list[float | None]:
    """Give one standard deviation of each fitted number, None where the curve does not determine it."""
    with np.errstate(all="ignore"):
        slopes = problem.slopes(values)
    steepness = np.linalg.norm(slopes, axis=0)
    if not np.all(np.isfinite(steepness)):
        return [None] * len(steepness)
    scale = np.where(steepness > 0, steepness, 1.0)
    _, sizes, directions = np.linalg.svd(slopes / scale, full_matrices=False)
    is_known = sizes > _LOST * sizes[0]
    part = np.abs(directions[~is_known]).max(axis=0, initial=0.0)
    spread = np.sqrt(((directions[is_known].T / sizes[is_known]) ** 2).sum(axis=1)) / scale
    is_good = (part < _PART) & (spread > 0) & np.isfinite(spread)
    return [float(one) if good else None for one, good in zip(spread, is_good, strict=True)]
