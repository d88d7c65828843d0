"""Statistics of every number that the jobs of a group say: chisq, what else the output holds, fitted parameters.

Under {'gid': gid, 'what': 'stats'} stands a JSON object: `ok`, `failed`, and in `values` for each name count, mean,
variance (of the sample), min, max and quantiles.  Memory does not grow with the number of jobs, and the order in which
replies come in changes no digit.  The option `quantiles` lists others than the usual ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from exact_moments import ExactMoments
from json_texts import json_text
from quantile_sketch import ACCURACY, QuantileSketch
from reply_numbers import numbers_of

from park_spool.reduce import Reduce, Reply

MOST_NAMES = 1000


@dataclass(slots=True)
class Column:
    """One name's statistics."""

    moments: ExactMoments = field(default_factory=ExactMoments)
    sketch: QuantileSketch = field(default_factory=QuantileSketch)
    low: float = math.inf
    high: float = -math.inf

    def add(self, value: float) -> None:
        self.moments.add(value)
        self.sketch.add(value)
        self.low, self.high = min(self.low, value), max(self.high, value)

    def to_json(self, shares: list[float]) -> dict[str, object]:
        quantiles = {f"{share:g}": self.sketch.quantile(share) for share in shares}
        moments = {"count": self.moments.count, "mean": self.moments.mean, "variance": self.moments.variance}
        accuracy = 0.0 if self.sketch.is_exact else ACCURACY
        return {**moments, "min": self.low, "max": self.high, "quantiles": quantiles, "quantile_accuracy": accuracy}


class Stats(Reduce):
    """Keep statistics of every number."""

    OPTIONS: ClassVar = {"quantiles": "0.025 0.16 0.5 0.84 0.975"}

    def __init__(self) -> None:
        super().__init__()
        self.gid = ""
        self.ok = self.failed = 0
        self.columns: dict[str, Column] = {}

    def __call__(self, msg: Reply) -> None:
        """Take a reply into the statistics."""
        self.gid = msg.gid
        if msg.status != "ok":
            self.failed += 1
            return
        self.ok += 1
        for name, value in numbers_of(msg):
            if name not in self.columns and len(self.columns) >= MOST_NAMES:
                raise ValueError(f"the replies of a group say more than {MOST_NAMES:,} different numbers")
            self.columns.setdefault(name, Column()).add(value)

    def flush(self) -> None:
        """Put the statistics as they are now."""
        if self.gid:
            shares = shares_of(self.options["quantiles"])
            values = {name: column.to_json(shares) for name, column in sorted(self.columns.items())}
            shown = {"ok": self.ok, "failed": self.failed, "values": values}
            self.archive.put({"gid": self.gid, "what": "stats"}, json_text(shown))


def shares_of(text: str) -> list[float]:
    """Read shares between 0 and 1.

    >>> shares_of("0.5, 0.9")
    [0.5, 0.9]
    """
    shares = [float(word) for word in text.replace(",", " ").split()]
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"quantiles: expected numbers from 0 to 1, got {text!r}")
    return shares
