"""How many calls go into a unit, and which of them are to be offered once more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool.client.book import Book
from park_spool.client.futures import CallFuture
from park_spool.client.gathering import GRAIN, KEPT, MOST_BYTES, Bounds, Cost, Costs, size
from park_spool.naming import MOST_CALLS, Unit

QUICK = Cost(1e-5, 100.0)


def calls(cost: Cost | None, count: int, arguments: int = 100) -> list[tuple[Cost | None, int]]:
    return [(cost, arguments)] * count


@pytest.mark.parametrize(
    ("cost", "count", "bounds", "expected"),
    [
        (None, 100, Bounds(2, 2), 1),
        (QUICK, 16, Bounds(2, 2), 8),
        (QUICK, 16, Bounds(4, 4), 4),
        (QUICK, 8, Bounds(2, 1), 8),
        (QUICK, 3, Bounds(16, 16), 1),
        (QUICK, 10_000, Bounds(2, 2), 2500),
        (QUICK, 10_000, Bounds(2, 2, calls=500), 500),
        (QUICK, 16, Bounds(0, 0), 16),
        (Cost(0.05, 100), 16, Bounds(2, 2), 4),
        (Cost(0.05, 100), 4, Bounds(2, 1), 1),
        (Cost(0.3, 100), 1000, Bounds(2, 2), 3),
        (Cost(60.0, 100), 1000, Bounds(2, 2), 1),
        (Cost(1e-5, MOST_BYTES / 4), 1000, Bounds(2, 2), 4),
    ],
)
def test_sizes(cost: Cost | None, count: int, bounds: Bounds, expected: int) -> None:
    assert size(calls(cost, count), count, bounds) == expected


def test_large_arguments_go_in_small_units() -> None:
    assert size(calls(QUICK, 100, MOST_BYTES // 3), 100, Bounds(2, 2)) == 3
    assert size(calls(QUICK, 100, 10 * MOST_BYTES), 100, Bounds(2, 2)) == 1


def test_what_nobody_knows_goes_alone_also_in_the_middle() -> None:
    mixed = [*calls(QUICK, 3), *calls(None, 2), *calls(QUICK, 3)]
    assert size(mixed, 8, Bounds(1, 1)) == 3
    assert size(mixed[3:], 5, Bounds(1, 1)) == 1


@given(
    st.lists(st.tuples(st.none() | st.builds(Cost, st.floats(0, 1e3), st.floats(0, 1e9)), st.integers(0, 10**9))),
    st.integers(0, 100),
    st.integers(-100, 100),
)
def test_a_unit_has_calls_and_never_more_than_there_are(queue: list[Any], cpus: int, free: int) -> None:
    count = size(queue, len(queue), Bounds(cpus, free))
    assert 1 <= count <= max(1, len(queue))


def test_costs_rise_at_once_and_fall_by_and_by() -> None:
    costs = Costs()
    assert costs.of("f") is None
    costs.learn("f", Cost(1.0, 10.0))
    costs.learn("f", Cost(2.0, 10.0))
    assert costs.of("f") == Cost(2.0, 10.0)
    costs.learn("f", Cost(0.0, 10.0))
    assert costs.of("f") == Cost(0.5, 10.0)
    for number in range(2 * KEPT):
        costs.learn(str(number), QUICK)
    assert costs.of("f") is None and costs.of(str(2 * KEPT - 1)) == QUICK


def test_all_cpus_get_something_and_the_units_are_as_good_as_equal() -> None:
    """As the asker takes them: a unit less to share out with each that was taken."""
    for cpus in (1, 2, 7):
        left, taken = 100, []
        while left:
            count = size(calls(QUICK, left), left, Bounds(cpus, cpus - len(taken)))
            taken.append(count)
            left -= count
        assert len(taken) == cpus and max(taken) - min(taken) <= 1


def test_the_grain_is_shorter_than_a_unit() -> None:
    assert Bounds(1).seconds > GRAIN


# the book


class Nobody:
    def take_back(self, future: CallFuture) -> bool:
        return False

    def has_begun(self, future: CallFuture) -> bool:
        return False


def futures(count: int) -> list[CallFuture]:
    return [CallFuture(Nobody(), "f", b"") for _ in range(count)]


def test_calls_get_their_numbers_and_each_is_taken_out_once() -> None:
    book = Book("s")
    first, second = futures(3), futures(2)
    assert book.add(first) == Unit("s", 1, 1, 1, 4) and book.add(second) == Unit("s", 1, 1, 4, 6)
    assert [one.job for one in (*first, *second)] == [1, 2, 3, 4, 5]
    assert book.units == 2 and book.open_jobs() == [(1, 6)]
    assert book.pop(2) is first[1] and book.pop(2) is None and book.pop(99) is None
    assert book.open_jobs() == [(1, 2), (3, 6)] and book.finished() == []
    book.pop(1), book.pop(3)
    [sent] = book.finished()
    assert (sent.start, sent.stop) == (1, 4) and book.finished() == [] and book.units == 1
    assert book.released == ["f"] * 3


def test_what_is_offered_once_more_stays_within_its_payload_and_leaves_out_what_was_answered() -> None:
    book = Book("s")
    for count in (3, 4, 2):
        book.add(futures(count))
    book.pop(5)
    book.offer_again([(2, 9)])
    assert [(one.start, one.stop) for one in book.again] == [(2, 4), (4, 5), (6, 8), (8, 9)]
    assert book.waits_again(4) and not book.waits_again(5) and not book.waits_again(9)
    book.pop(3), book.pop(8)
    assert [(one.start, one.stop) for one in book.take_again()] == [(2, 3), (4, 5), (6, 8)]
    assert book.take_again() == []


def test_missing_is_what_stands_nowhere() -> None:
    book = Book("s")
    book.add(futures(9))
    book.pop(1)
    book.offer_again([(8, 10)])
    assert book.missing([(3, 5)]) == [(2, 3), (5, 8)]


def test_numbers_end_where_a_name_has_no_more_room() -> None:
    book = Book("s", made=MOST_CALLS - 1)
    assert book.room == 1
    assert book.add(futures(1)).name.count(str(MOST_CALLS)) == 2
    assert book.room == 0


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_whatever_is_answered_or_missed_every_open_call_is_somewhere(counts: list[int], data: st.DataObject) -> None:
    book = Book("s")
    for count in counts:
        book.add(futures(count))
    jobs = sum(counts)
    for job in data.draw(st.lists(st.integers(1, jobs))):
        book.pop(job)
    start = data.draw(st.integers(1, jobs))
    book.offer_again([(start, data.draw(st.integers(start, jobs + 1)))])
    missing = {job for first, stop in book.missing([]) for job in range(first, stop)}
    again = {job for unit in book.take_again() for job in range(unit.start, unit.stop)}
    assert missing | again == set(book.calls) and not missing & again
