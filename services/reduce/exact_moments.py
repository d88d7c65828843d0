"""Count, mean and variance of numbers, exact: the order of the numbers never matters, and nothing cancels.

Every float is a whole number of 2^-1074, so sums of them, and of their squares, are whole numbers of Python.  The one
rounding is that of the result.  Memory is two integers of a few hundred bytes, however many numbers there are.
"""

from __future__ import annotations

from dataclasses import dataclass

_BITS = 1074  # the smallest positive float is 2^-1074


@dataclass(slots=True)
class ExactMoments:
    """The first two moments of the numbers that were added."""

    count: int = 0
    _sum: int = 0  # of the numbers, in units of 2^-1074
    _squares: int = 0  # of their squares, in units of 2^-2148

    def add(self, value: float) -> None:
        """Take in one finite number."""
        numerator, denominator = value.as_integer_ratio()
        shift = _BITS + 1 - denominator.bit_length()  # the denominator is a power of two
        self.count += 1
        self._sum += numerator << shift
        self._squares += (numerator * numerator) << (2 * shift)

    @property
    def mean(self) -> float | None:
        """Return the mean, None without a number.

        >>> moments = ExactMoments()
        >>> for value in (1e16, 1.0, -1e16): moments.add(value)
        >>> moments.mean
        0.3333333333333333
        """
        return _divided(self._sum, self.count << _BITS)

    @property
    def variance(self) -> float | None:
        """Return the variance of the sample, Σ(x − mean)² / (n − 1); None with less than two numbers.

        >>> moments = ExactMoments()
        >>> for value in (1e9 + 1, 1e9 + 2, 1e9 + 3): moments.add(value)
        >>> moments.variance
        1.0
        """
        above = self.count * self._squares - self._sum * self._sum
        return _divided(above, self.count * (self.count - 1) << (2 * _BITS))


def _divided(numerator: int, denominator: int) -> float | None:
    """Divide whole numbers and round once; None where that is no finite float."""
    try:
        return numerator / denominator if denominator else None
    except OverflowError:
        return None
