"""Quantiles of a stream: exact for a few numbers, to half a percent for any number of them, in bounded memory.

Beyond `EXACT` numbers they are counted in bins whose edges grow by one percent (DDSketch: Masson, Rim and Lee, Proc.
VLDB Endow. 12 (2019) 2195), so that each quantile is within half a percent of a number of the stream.  At most `BINS`
bins are kept for each sign, those of the largest magnitudes; what is below them counts as the smallest of these.
The state is a function of the set of numbers, never of their order.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

EXACT = 1000
BINS = 4096
ACCURACY = 0.005
_GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GROWTH = math.log(_GROWTH)


@dataclass(slots=True)
class QuantileSketch:
    """The quantiles of the numbers that were added; `few` holds them all, sorted, while they are few."""

    count: int = 0
    few: list[float] = field(default_factory=list)
    _zeros: int = 0
    _positive: dict[int, int] = field(default_factory=dict)
    _negative: dict[int, int] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        return self.count <= EXACT

    def add(self, value: float) -> None:
        """Take in one finite number."""
        self.count += 1
        if self.count <= EXACT:
            insort(self.few, value)
            return
        for one in (*self.few, value):
            self._count(one)
        self.few = []

    def _count(self, value: float) -> None:
        if value == 0:
            self._zeros += 1
            return
        bins = self._positive if value > 0 else self._negative
        place = math.ceil(math.log(abs(value)) / _LOG_GROWTH)
        bins[place] = bins.get(place, 0) + 1
        if len(bins) > BINS:
            _merge_low(bins)

    def quantile(self, share: float) -> float | None:
        """Return the quantile of a share from 0 to 1, interpolated while it is exact; None without a number.

        >>> sketch = QuantileSketch()
        >>> for value in (4.0, 1.0, 3.0, 2.0): sketch.add(value)
        >>> sketch.quantile(0.5), sketch.quantile(1)
        (2.5, 4.0)
        """
        if not self.count:
            return None
        rank = share * (self.count - 1)
        if self.is_exact:
            low = math.floor(rank)
            high = min(low + 1, self.count - 1)
            return self.few[low] + (rank - low) * (self.few[high] - self.few[low])
        counts = accumulate(count for _, count in self._in_order())
        return next(value for (value, _), seen in zip(self._in_order(), counts, strict=True) if seen > rank)

    def _in_order(self) -> Iterator[tuple[float, int]]:
        for place in sorted(self._negative, reverse=True):
            yield -_middle(place), self._negative[place]
        yield 0.0, self._zeros
        for place in sorted(self._positive):
            yield _middle(place), self._positive[place]


def _middle(place: int) -> float:
    """Return the number that is within ACCURACY of every number of a bin."""
    return 2 * math.exp(place * _LOG_GROWTH) / (_GROWTH + 1)


def _merge_low(bins: dict[int, int]) -> None:
    """Count what lies below the `BINS` bins that end with the highest as their lowest."""
    lowest = max(bins) - BINS + 1
    for place in [place for place in bins if place < lowest]:
        bins[lowest] = bins.get(lowest, 0) + bins.pop(place)
