"""Where the fits of one job start.

The first start is where the input says; what it does not say is found, and so is all of the further starts: a length
is drawn in the middle half of its box, on a logarithmic scale that is divided among the starts, so that a few of them
reach all sizes; an exponent without a usual value is the best of a row over its box; and the amplitudes follow, since
I is linear in them.  So a start is never far from the data, and the seed alone decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from frames import Frame
from minimising import Start
from model_numbers import Number
from problem import Problem

STEPS = 13  # values of an exponent that are tried
_LITTLE = 1e-6  # of the largest I: what a term has at least at the smallest Q, where the fit moves its logarithm
_EDGE = 0.25  # of a box on either side, in which no start is drawn


def starts_of(problem: Problem, count: int, new_seed: Callable[[], int]) -> tuple[list[Start], dict[str, int]]:
    """Give the values that `count` fits start from, and {"seed": …} if any of them was drawn."""
    given = {one.name: one.value for one in problem.fitted if one.value is not None}
    lengths = [one for one in problem.fitted if one.quantity.kind == "length"]
    if not lengths or (count == 1 and all(one.name in given for one in lengths)):
        return [_start(problem, given)], {}
    seed = new_seed()
    shares = np.random.default_rng(seed).uniform(size=(count, len(lengths)))
    drawn = [
        {one.name: _drawn(one, (place + share) / count) for one, share in zip(lengths, row, strict=True)}
        for place, row in enumerate(shares)
    ]
    first, *others = drawn
    return [_start(problem, first | given), *(_start(problem, known) for known in others)], {"seed": seed}


def _drawn(number: Number, share: float) -> float:
    """Give the value at some share of the middle half of a box, on a logarithmic scale."""
    inside = _EDGE + (1 - 2 * _EDGE) * share
    return float(number.low * (number.high / number.low) ** inside)


def _start(problem: Problem, known: Start) -> Start:
    """Add to the known values the best exponent and amplitudes, all inside their boxes."""
    missing = [one for one in problem.fitted if one.name not in known]
    known = problem.held | known | _usual(missing)
    solved = [one.name for one in missing if one.quantity.kind == "amplitude"]
    tried = [one for one in missing if one.name not in known and one.name not in solved]
    ways = [known | way for way in _ways(tried)]
    best, _ = min((_solved(problem, way, solved) for way in ways), key=lambda pair: pair[1])
    return {one.name: _inside(one, best, problem.frame) for one in problem.fitted}


def _usual(numbers: list[Number]) -> Start:
    return {one.name: one.quantity.usual for one in numbers if one.quantity.kind == "exponent" and one.quantity.usual}


def _ways(tried: list[Number]) -> list[Start]:
    """List the values to try, in a row for each number."""
    rows = [[{one.name: float(value)} for value in np.linspace(one.low, one.high, STEPS)] for one in tried]
    ways: list[Start] = [{}]
    for row in rows:
        ways = [way | step for way in ways for step in row]
    return ways


def _solved(problem: Problem, known: Start, solved: list[str]) -> tuple[Start, float]:
    values = known | problem.amplitudes(known, solved)
    chisq = problem.chisq(values)
    return values, chisq if math.isfinite(chisq) else math.inf


def _inside(number: Number, values: Start, frame: Frame) -> float:
    """Bring a value into its box, and away from 0 where its logarithm is fitted."""
    value = min(max(values[number.name], number.low), number.high)
    if value > 0 or not number.quantity.is_log:
        return value
    return _LITTLE * float(np.abs(frame.intensity).max()) * math.pow(frame.q[0], values.get("n", 0.0))
