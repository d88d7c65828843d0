"""What is fitted: one model, the points of one frame, and the model's numbers, fitted and held.

Guarantees: pure and deterministic; residuals are (model − I) / dI, so that chisq is their plain sum of squares.
Assumes: scipy, which is loaded only when amplitudes are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from frames import Column, Frame
from model_numbers import Number
from numpy.typing import NDArray
from scattering_models import Model, Values

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Problem:
    """A model, the points that it is fitted to, and its numbers in order."""

    model: Model
    frame: Frame
    numbers: tuple[Number, ...]

    @property
    def fitted(self) -> tuple[Number, ...]:
        """Give the fitted numbers."""
        return tuple(number for number in self.numbers if number.is_fitted)

    @property
    def held(self) -> dict[str, float]:
        """Give the values of the numbers that are held."""
        return {one.name: one.value for one in self.numbers if not one.is_fitted and one.value is not None}

    def residuals(self, values: Values) -> Column:
        """Compute the residuals, model less data, in units of the error."""
        return (self.model.intensity(self.frame.q, values) - self.frame.intensity) / self.frame.error

    def chisq(self, values: Values) -> float:
        """Compute the sum of squared residuals; it may be infinite or not a number."""
        with np.errstate(all="ignore"):
            residuals = self.residuals(values)
            return float(residuals @ residuals)

    def slopes(self, values: Values) -> Matrix:
        """Compute the slopes of the residuals by the fitted numbers, one column each."""
        slopes = self.model.derivatives(self.frame.q, values)
        return np.array([slopes[one.name] / self.frame.error for one in self.fitted]).T

    def amplitudes(self, values: Values, solved: Sequence[str]) -> dict[str, float]:
        """Find the amplitudes called `solved` that have the smallest chisq; `values` holds all other numbers.

        I is linear in them, so that there is one answer.  An amplitude is 0 or more unless its box reaches below.
        """
        shapes = self.model.shapes(self.frame.q, values)
        rest = self.frame.intensity - sum(values[name] * shapes[name] for name in shapes if name not in solved)
        signed = [(one.name, sign) for one in self.numbers if one.name in solved for sign in _signs(one)]
        columns = np.array([sign * shapes[name] / self.frame.error for name, sign in signed])
        amounts = non_negative(columns, rest / self.frame.error)
        found = dict.fromkeys(solved, 0.0)
        for (name, sign), amount in zip(signed, amounts, strict=True):
            found[name] += sign * float(amount)
        return found


def _signs(number: Number) -> tuple[float, ...]:
    return (1.0,) if number.low >= 0 else (1.0, -1.0)


def non_negative(columns: Matrix, target: Column) -> Column:
    """Find the amounts, 0 or more, of some columns (rows of the matrix) that come nearest to a target."""
    from scipy.optimize import nnls

    if not len(columns):
        return np.zeros(0)
    sizes = np.linalg.norm(columns, axis=1)
    scale = np.where((sizes > 0) & np.isfinite(sizes), sizes, 1.0)
    matrix = np.nan_to_num(columns / scale[:, np.newaxis]).T
    try:
        amounts = nnls(matrix, target)[0]
    except RuntimeError:  # it went round in circles: the nearest with any signs, cut off, will do as a start
        amounts = np.maximum(np.linalg.lstsq(matrix, target)[0], 0.0)
    return np.asarray(amounts / scale, dtype=float)
