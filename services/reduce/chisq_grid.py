"""A grid of chisq over the axes of a scan, and what can be read off it: minima and profiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from park_spool.reduce import Axis, Scan

SEED = "seed"  # an axis of this name is no direction of a map: its values are repetitions
MOST_MINIMA = 50
MOST_DIAGONAL = 3  # dimensions up to which cells that touch at a corner are neighbours, too


def grid_axes(scan: Scan) -> tuple[list[Axis], list[int]]:
    """Return the axes of a scan that make a map, and how many points lie between two steps along each."""
    kept, strides, stride = [], [], 1
    for axis in reversed(scan.axes):
        if axis.name != SEED:
            kept.append(axis)
            strides.append(stride)
        stride *= axis.size
    return kept[::-1], strides[::-1]


class Cells:
    """The smallest chisq of each cell, infinite where there is none yet."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.values: NDArray[np.float64] = np.full(tuple(shape), np.inf)

    def lower(self, place: Sequence[int], chisq: float) -> None:
        """Take in one chisq of a cell."""
        self.values[tuple(place)] = min(self.values[tuple(place)], chisq)

    def at(self, place: Sequence[int]) -> float:
        return float(self.values[tuple(place)])

    @property
    def size(self) -> int:
        return self.values.size

    @property
    def filled(self) -> int:
        return int(np.isfinite(self.values).sum())

    def to_json(self) -> list[float | None]:
        return _listed(self.values.ravel())


def local_minima(cells: Cells) -> list[tuple[int, ...]]:
    """Return the cells that are below all their neighbours, the lowest first.

    >>> cells = Cells([4])
    >>> for place, chisq in enumerate((3.0, 5.0, 2.0, 4.0)): cells.lower([place], chisq)
    >>> local_minima(cells)
    [(2,), (0,)]
    """
    values = cells.values
    is_lowest = np.isfinite(values)
    padded = np.pad(values, 1, constant_values=np.inf)
    for step in _steps(values.ndim):
        shifted = padded[tuple(slice(1 + one, 1 + one + size) for one, size in zip(step, values.shape, strict=True))]
        # Of equal neighbours the first in the order of the grid counts, so that a flat valley is one minimum.
        is_lowest &= (values < shifted) | ((values == shifted) & (step > (0,) * values.ndim))
    places = [tuple(int(index) for index in place) for place in np.argwhere(is_lowest)]
    return sorted(places, key=lambda place: (cells.at(place), place))[:MOST_MINIMA]


def _steps(dimensions: int) -> list[tuple[int, ...]]:
    """Return the steps from a cell to each of its neighbours."""
    every = [step for step in product((-1, 0, 1), repeat=min(dimensions, MOST_DIAGONAL)) if any(step)]
    if dimensions <= MOST_DIAGONAL:
        return every
    ways = product(range(dimensions), (-1, 1))
    return [tuple(way if index == axis else 0 for index in range(dimensions)) for axis, way in ways]


def profiles(cells: Cells) -> list[list[float | None]]:
    """Return, for each axis, the smallest chisq at each of its values, all other axes left free."""
    axes = range(cells.values.ndim)
    return [_listed(cells.values.min(axis=tuple(other for other in axes if other != axis))) for axis in axes]


def _listed(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
