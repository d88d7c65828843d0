"""How many calls go into a unit: few while nobody knows how long they take, then about a second's worth. Pure.

A unit costs about a millisecond of its own, so quick calls are sent together; what is left is spread over all CPUs,
in ever smaller units towards the end (as in tending/planning.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

GRAIN = 0.005  # s that a unit should last at least, if there is so much work
MOST_BYTES = 16 << 20  # of arguments, or of answers, in one unit
KEPT = 1000  # functions whose times are remembered


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of a function takes: seconds, and characters of its answer."""

    seconds: float
    output: float


@dataclass(slots=True)
class Costs:
    """The costs of the functions that were called, by digest, the newest last."""

    _known: OrderedDict[str, Cost] = field(default_factory=OrderedDict)

    def of(self, function: str) -> Cost | None:
        return self._known.get(function)

    def learn(self, function: str, cost: Cost) -> None:
        """Take in what a call took: at once if it is more than was known, by and by if it is less."""
        before = self._known.pop(function, cost)
        self._known[function] = Cost(_risen(before.seconds, cost.seconds), _risen(before.output, cost.output))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)


def _risen(before: float, now: float) -> float:
    # The first call of a process loads modules; and one that is slow now and then is better expected to be slow.
    return now if now >= before else (before + 3 * now) / 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds a unit: the CPUs for its executor, and how many of them are `free`; how long it may last, and how
    many calls it may hold.
    """

    cpus: int
    free: int = 1
    seconds: float = 1.0
    calls: int = 5000


def size(calls: Iterable[tuple[Cost | None, int]], remaining: int, bounds: Bounds) -> int:
    """Return how many calls the next unit takes off the front; each with its cost, if known, and its arguments' bytes.

    `remaining` is how many wait in all. Calls of which nothing is known go alone.

    >>> size([(None, 10)] * 16, 16, Bounds(cpus=2))
    1
    >>> size([(Cost(1e-6, 10), 10)] * 16, 16, Bounds(cpus=2, free=2))
    8
    >>> size([(Cost(0.05, 10), 10)] * 16, 16, Bounds(cpus=2, free=2))
    4
    """
    count, most, total = 0, 0, _Load()
    for cost, arguments in calls:
        if cost is None:
            return max(count, 1)
        if not count:
            most = min(-(-remaining // max(bounds.free, 1)), bounds.calls)
        total.add(cost, arguments)
        if count and (count >= most or total.exceeds(_budget(cost, remaining, bounds))):
            break
        count += 1
    return max(count, 1)


def _budget(cost: Cost, remaining: int, bounds: Bounds) -> float:
    """Return how many seconds the next unit may last."""
    fair = cost.seconds * remaining / (2 * max(bounds.cpus, 1))
    return max(GRAIN, min(fair, bounds.seconds))


@dataclass(slots=True)
class _Load:
    seconds: float = 0.0
    output: float = 0.0
    arguments: int = 0

    def add(self, cost: Cost, arguments: int) -> None:
        self.seconds += cost.seconds
        self.output += cost.output
        self.arguments += arguments

    def exceeds(self, seconds: float) -> bool:
        # A little more than that, lest rounding split what is shared out exactly.
        return self.seconds > seconds * (1 + 1e-6) or max(self.output, self.arguments) > MOST_BYTES
