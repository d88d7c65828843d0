"""Sets of job numbers as sorted, disjoint, half-open intervals: ten million jobs are a handful of pairs.

All functions take and return lists of `(start, stop)` with `start < stop`, sorted, not touching. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

Interval = tuple[int, int]
Intervals = list[Interval]


def union(pieces: Iterable[Interval]) -> Intervals:
    """Merge any intervals, in any order, into a set.

    >>> union([(5, 7), (1, 3), (3, 5), (9, 10)])
    [(1, 7), (9, 10)]
    """
    merged: Intervals = []
    for start, stop in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def subtract(whole: Intervals, parts: Intervals) -> Intervals:
    """Return what of `whole` is not in `parts`; both are sets.

    >>> subtract([(1, 10)], [(2, 4), (9, 12)])
    [(1, 2), (4, 9)]
    """
    rest: Intervals = []
    index = 0
    for start, stop in whole:
        while index < len(parts) and parts[index][1] <= start:
            index += 1
        later = index
        while later < len(parts) and parts[later][0] < stop:
            if start < parts[later][0]:
                rest.append((start, parts[later][0]))
            start = max(start, parts[later][1])
            later += 1
        if start < stop:
            rest.append((start, stop))
    return rest


def intersect(one: Intervals, other: Intervals) -> Intervals:
    """Return what both sets hold.

    >>> intersect([(1, 5), (7, 9)], [(4, 8)])
    [(4, 5), (7, 8)]
    """
    return subtract(one, subtract(one, other))


def total(pieces: Intervals) -> int:
    return sum(stop - start for start, stop in pieces)


def holds(pieces: Intervals, start: int, stop: int) -> bool:
    """Say whether a set holds the whole of `[start, stop)`."""
    index = bisect_right(pieces, start, key=lambda piece: piece[0]) - 1
    return start >= stop or (index >= 0 and stop <= pieces[index][1])


def take(pieces: Intervals, size: int) -> tuple[Interval, Intervals]:
    """Take up to `size` consecutive numbers from the front of a set that is not empty; return them and the rest.

    >>> take([(1, 4), (6, 9)], 2)
    ((1, 3), [(3, 4), (6, 9)])
    """
    (start, stop), rest = pieces[0], pieces[1:]
    cut = min(start + size, stop)
    return (start, cut), ([(cut, stop), *rest] if cut < stop else rest)


def cut(start: int, stop: int, parts: int) -> Iterator[Interval]:
    """Cut an interval into at most `parts` nearly equal pieces.

    >>> list(cut(1, 11, 4))
    [(1, 3), (3, 6), (6, 8), (8, 11)]
    """
    parts = min(parts, stop - start)
    edges = [start + (stop - start) * index // parts for index in range(parts + 1)]
    return pairwise(edges)
