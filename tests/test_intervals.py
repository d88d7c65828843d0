"""Sets of jobs as intervals, held against plain Python sets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from park_spool import intervals
from park_spool.intervals import Interval, Intervals

PIECES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)
SETS = PIECES.map(intervals.union)


def numbers(pieces: list[Interval]) -> set[int]:
    return {number for start, stop in pieces for number in range(start, stop)}


def assert_is_set(pieces: Intervals) -> None:
    """Sorted, no empty piece, no two that overlap or touch: each set has one form."""
    edges = [edge for piece in pieces for edge in piece]
    assert all(one < other for one, other in pairwise(edges)), pieces


@given(PIECES)
def test_union_is_the_set_in_its_one_form(pieces: list[Interval]) -> None:
    assert numbers(intervals.union(pieces)) == numbers(pieces)
    assert_is_set(intervals.union(pieces))
    assert intervals.union(intervals.union(pieces)) == intervals.union(pieces)


@given(SETS, SETS)
def test_subtract_and_intersect_are_those_of_sets(one: Intervals, other: Intervals) -> None:
    assert numbers(intervals.subtract(one, other)) == numbers(one) - numbers(other)
    assert numbers(intervals.intersect(one, other)) == numbers(one) & numbers(other)
    assert_is_set(intervals.subtract(one, other))
    assert_is_set(intervals.intersect(one, other))


@given(SETS, SETS)
def test_what_is_cut_apart_goes_together_again(one: Intervals, other: Intervals) -> None:
    assert intervals.union([*intervals.subtract(one, other), *intervals.intersect(one, other)]) == one


@given(SETS, st.integers(0, 30), st.integers(0, 30))
def test_holds_and_total(pieces: Intervals, start: int, stop: int) -> None:
    assert intervals.total(pieces) == len(numbers(pieces))
    assert intervals.holds(pieces, start, stop) == (set(range(start, stop)) <= numbers(pieces))


@given(SETS.filter(bool), st.integers(1, 40))
def test_take_takes_consecutive_numbers_off_the_front(pieces: Intervals, size: int) -> None:
    (start, stop), rest = intervals.take(pieces, size)
    assert start == pieces[0][0]
    assert 1 <= stop - start <= size
    assert numbers([(start, stop)]) | numbers(rest) == numbers(pieces)
    assert not numbers([(start, stop)]) & numbers(rest)


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 20))
def test_cut_makes_nearly_equal_pieces(start: int, size: int, parts: int) -> None:
    pieces = list(intervals.cut(start, start + size, parts))
    assert len(pieces) == min(parts, size)
    assert numbers(pieces) == set(range(start, start + size))
    sizes = [stop - first for first, stop in pieces]
    assert max(sizes) - min(sizes) <= 1
