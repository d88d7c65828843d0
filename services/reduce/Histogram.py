"""A histogram of one number that the jobs of a group say, chisq unless the option `attribute` names another.

Under {'gid': gid, 'what': 'histogram'} stands a JSON object: attribute, scale, counts, `edges` (one more than counts),
and `left_out`, the jobs that say no such number.  Nobody needs to know the range beforehand: bins are as fine as `bins`
of them allow, with a width that is a power of two and edges at multiples of it (of the decimal logarithm for
scale='log').  The order in which replies come in makes no difference.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import ClassVar

from json_texts import json_text
from reply_numbers import number_of

from park_spool.reduce import Reduce, Reply

FINEST = 40  # a bin is at least 2^-40 of the numbers in it wide
SMALLEST = -1000  # of the exponents


class Histogram(Reduce):
    """Count numbers in bins of equal width."""

    OPTIONS: ClassVar = {"attribute": "chisq", "bins": "64", "scale": "linear"}

    def __init__(self) -> None:
        super().__init__()
        self.gid = ""
        self.left_out = 0
        self.exponent = SMALLEST  # bins are 2^exponent wide
        self.counts: dict[int, int] = {}

    def setOptions(self, options: Mapping[str, str]) -> None:
        """Take attribute, bins and scale; ValueError for what they cannot be."""
        super().setOptions(options)
        if not (self.options["bins"].isdecimal() and 2 <= int(self.options["bins"]) <= 10_000):
            raise ValueError(f"bins: expected a whole number from 2 to 10000, got {self.options['bins']!r}")
        if self.options["scale"] not in ("linear", "log"):
            raise ValueError(f"scale: expected linear or log, got {self.options['scale']!r}")

    def __call__(self, msg: Reply) -> None:
        """Take a reply into the histogram."""
        self.gid = msg.gid
        value = number_of(msg, self.options["attribute"]) if msg.status == "ok" else None
        if value is not None and self.options["scale"] == "log":
            value = math.log10(value) if value > 0 else None
        if value is None:
            self.left_out += 1
        else:
            self._add(value)

    def _add(self, value: float) -> None:
        self._coarsen(max(self.exponent, math.frexp(value)[1] - FINEST if value else SMALLEST))
        place = bin_of(value, self.exponent)
        self.counts[place] = self.counts.get(place, 0) + 1
        while max(self.counts) - min(self.counts) >= int(self.options["bins"]):
            self._coarsen(self.exponent + 1)

    def _coarsen(self, exponent: int) -> None:
        """Make the bins wider by a power of two: whole bins are put together."""
        shift, self.exponent = exponent - self.exponent, exponent
        if shift and self.counts:
            merged: dict[int, int] = {}
            for place, count in self.counts.items():
                merged[place >> shift] = merged.get(place >> shift, 0) + count
            self.counts = merged

    def flush(self) -> None:
        """Put the histogram as it is now."""
        if not self.gid:
            return
        places = range(min(self.counts), max(self.counts) + 1) if self.counts else range(0)
        edges = [edge(place, self.exponent) for place in (*places, places.stop)] if self.counts else []
        shown: dict[str, object] = {name: self.options[name] for name in ("attribute", "scale")}
        shown["edges"] = [power_of_ten(edge) for edge in edges] if self.options["scale"] == "log" else edges
        shown["counts"] = [self.counts.get(place, 0) for place in places]
        shown["left_out"] = self.left_out
        self.archive.put({"gid": self.gid, "what": "histogram"}, json_text(shown))


def bin_of(value: float, exponent: int) -> int:
    """Return the number of the bin that a value lies in, ⌊value / 2^exponent⌋, exactly.

    >>> bin_of(5.5, 1), bin_of(-5e-324, 1)
    (2, -1)
    """
    numerator, denominator = value.as_integer_ratio()
    return (numerator // denominator) >> exponent if exponent >= 0 else (numerator << -exponent) // denominator


def edge(place: int, exponent: int) -> float:
    """Return where a bin begins; the largest float where that is beyond it.

    >>> edge(3, 1), edge(1, 1024)
    (6.0, 1.7976931348623157e+308)
    """
    try:
        return math.ldexp(place, exponent)
    except OverflowError:
        return math.copysign(sys.float_info.max, place)


def power_of_ten(exponent: float) -> float:
    """Return ten to some power, the largest float where that is larger.

    >>> power_of_ten(2.0), power_of_ten(400.0)
    (100.0, 1.7976931348623157e+308)
    """
    try:
        return float(10.0**exponent)
    except OverflowError:
        return sys.float_info.max
