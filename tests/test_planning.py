"""What is offered next, as pure values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import intervals
from park_spool.config import Config
from park_spool.naming import Unit
from park_spool.retries import Retries
from park_spool.tending import planning
from park_spool.tending.planning import Pending

CONFIG = Config(Path("s"), Path("a"))
UNITS = st.builds(
    lambda sid, joblist, start, size: Unit(sid, 1, joblist, start, start + size),
    st.sampled_from("abc"),
    st.integers(1, 2),
    st.integers(1, 200),
    st.integers(1, 50),
)


def jobs(units: list[Unit]) -> list[tuple[object, ...]]:
    return [(unit.sid, *unit.key, job) for unit in units for job in range(unit.start, unit.stop)]


@pytest.mark.parametrize(("cpus", "expected"), [(0, 1), (1, 8), (2, 8), (3, 12), (100, 400), (10_000, 2000)])
def test_the_window_follows_the_cpus(cpus: int, expected: int) -> None:
    assert planning.window(cpus, CONFIG) == expected


@given(st.one_of(st.none(), st.floats(0, 1e6)), st.integers(1, 10**9), st.integers(0, 1000))
def test_units_have_at_least_one_job_and_at_most_their_share(seconds: float | None, remaining: int, cpus: int) -> None:
    size = planning.unit_size(seconds, remaining, cpus, CONFIG.unit_seconds, CONFIG)
    assert 1 <= size <= CONFIG.max_unit
    assert size == 1 or (seconds is not None and size * seconds <= CONFIG.unit_seconds)
    assert size == 1 or size <= -(-remaining // (2 * max(cpus, 1)))


def test_sizes_shrink_towards_the_end() -> None:
    """Guided self-scheduling: the last units are single jobs, so that all CPUs end together."""
    left, sizes = 1000, []
    while left:
        sizes.append(planning.unit_size(0.001, left, 4, 1.0, CONFIG))
        left -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (125, 1)


def test_unknown_and_long_jobs_come_alone() -> None:
    assert planning.unit_size(None, 10**6, 2, 1.0, CONFIG) == 1
    assert planning.unit_size(3600.0, 10**6, 2, 1.0, CONFIG) == 1
    assert planning.unit_size(0.0, 10**6, 2, 1.0, CONFIG) == CONFIG.max_unit


@given(
    st.lists(st.tuples(UNITS, st.sampled_from("uvw")), max_size=6),
    st.lists(UNITS, max_size=4),
    st.integers(0, 12),
    st.integers(1, 9),
)
def test_chosen_units_are_pending_jobs_each_once(
    pending: list[tuple[Unit, str]], ready: list[Unit], room: int, size: int
) -> None:
    taken: set[tuple[object, ...]] = set()
    disjoint = [
        (unit, user) for unit, user in pending if not taken & set(jobs([unit])) and not taken.update(jobs([unit]))
    ]
    items = [Pending("100-100", user, unit) for unit, user in disjoint]
    chosen = planning.choose(items, ready, {}, room, lambda unit: size)
    found = jobs(chosen)
    assert len(chosen) <= room
    assert len(set(found)) == len(found)
    assert set(found) <= taken
    assert all(unit.size <= size for unit in chosen)
    assert len(chosen) == room or set(found) == taken


def test_users_share_the_window_evenly() -> None:
    items = [Pending("r", user, Unit(f"{user}", 1, 1, 1, 1000)) for user in ("anna", "bert", "cleo")]
    users = {"anna": "anna", "bert": "bert", "cleo": "cleo"}
    ready = [Unit("anna", 1, 1, job, job + 1) for job in range(2000, 2004)]
    chosen = planning.choose(items, ready, users, 8, lambda unit: 1)
    assert sorted(unit.sid for unit in chosen) == ["bert"] * 4 + ["cleo"] * 4
    chosen = planning.choose(items, ready, users, 11, lambda unit: 1)
    assert sum(unit.sid == "anna" for unit in chosen) == 1


def test_one_user_is_served_first_in_first_out() -> None:
    items = [Pending("r", "u", Unit(sid, 1, 1, 1, 3)) for sid in ("b", "a")]
    assert [unit.sid for unit in planning.choose(items, [], {}, 3, lambda unit: 1)] == ["a", "a", "b"]


@given(UNITS, st.lists(st.tuples(st.integers(1, 250), st.integers(1, 250)), max_size=4))
def test_pieces_hold_what_is_left(unit: Unit, done: list[tuple[int, int]]) -> None:
    rest = intervals.subtract([(unit.start, unit.stop)], intervals.union(done))
    pieces = planning.pieces(unit, rest)
    assert sorted(jobs(pieces)) == sorted(
        (unit.sid, *unit.key, job) for start, stop in rest for job in range(start, stop)
    )
    assert all((piece.round, piece.attempt) == (unit.round, unit.attempt) for piece in pieces)
    assert len(pieces) <= planning.PIECES + len(rest)
    assert unit.size == 1 or all(piece.size < unit.size for piece in pieces)


@given(st.lists(UNITS, max_size=5), UNITS)
def test_without_takes_the_jobs_of_one_unit_away(pending: list[Unit], unit: Unit) -> None:
    before, after = jobs(pending), jobs(planning.without(pending, unit))
    # A session's pending units are of that session: only (group, job list), round and attempt tell them apart.
    gone = {(unit.group, unit.joblist, job) for job in range(unit.start, unit.stop)}
    assert after == [job for job in before if job[1:] not in gone]


def test_without_leaves_other_attempts_alone() -> None:
    unit = Unit("a", 1, 1, 1, 3)
    assert planning.without([unit.next_attempt()], unit) == [unit.next_attempt()]


def test_failed_jobs_come_alone_and_one_attempt_higher() -> None:
    ranges = [Unit("a", 1, 1, 1, 10), Unit("a", 1, 2, 1, 3)]
    units = planning.with_attempts(
        ranges, {(1, 1, 4): (0, 0), (1, 1, 9): (1, 2), (1, 1, 99): (0, 0), (2, 1, 1): (0, 5)}
    )
    assert units == [
        Unit("a", 1, 1, 1, 4),
        Unit("a", 1, 1, 4, 5, 0, 1),
        Unit("a", 1, 1, 5, 9),
        Unit("a", 1, 1, 9, 10, 1, 3),
        Unit("a", 1, 2, 1, 3),
    ]


def test_the_round_of_a_job_is_the_last_that_names_it_and_attempts_count_within_it() -> None:
    again = Retries({1: {(1, 1): [(2, 6)]}, 2: {(1, 1): [(5, 6)]}})
    last = {(1, 1, 1): (0, 1), (1, 1, 2): (0, 2), (1, 1, 3): (1, 0), (1, 1, 5): (1, 2), (1, 1, 7): (3, 0)}
    assert planning.with_attempts([Unit("a", 1, 1, 1, 9)], last, again) == [
        Unit("a", 1, 1, 1, 2, 0, 2),
        Unit("a", 1, 1, 2, 3, 1, 0),  # what it tried in round 0 does not count
        Unit("a", 1, 1, 3, 4, 1, 1),
        Unit("a", 1, 1, 4, 5, 1, 0),
        Unit("a", 1, 1, 5, 6, 2, 0),
        Unit("a", 1, 1, 6, 7, 0, 0),
        Unit("a", 1, 1, 7, 8, 3, 1),  # of a retry that is not seen here yet
        Unit("a", 1, 1, 8, 9, 0, 0),
    ]


def test_the_jobs_of_a_round_stay_together() -> None:
    again = Retries({1: {(1, 1): [(1, 10**9)]}})
    units = planning.with_attempts([Unit("a", 1, 1, 1, 100)], {(1, 1, 50): (0, 2)}, again)
    assert units == [Unit("a", 1, 1, 1, 100, 1, 0)]


def test_what_a_later_round_names_is_not_wanted_of_an_earlier_one() -> None:
    again = Retries({1: {(1, 1): [(3, 5)]}})
    pending = [Unit("a", 1, 1, 1, 9), Unit("a", 1, 1, 4, 5, 1, 1), Unit("a", 1, 2, 3, 4)]
    assert planning.still_wanted(pending, again) == [
        Unit("a", 1, 1, 1, 3),
        Unit("a", 1, 1, 5, 9),
        Unit("a", 1, 1, 4, 5, 1, 1),
        Unit("a", 1, 2, 3, 4),
    ]


def test_units_last_so_long_that_the_file_system_carries_them() -> None:
    shared = replace(CONFIG, units_per_second=100.0)
    assert [planning.unit_seconds(cpus, shared) for cpus in (0, 100, 2000)] == [1.0, 1.0, 20.0]
    assert planning.unit_size(0.1, 10**6, 2000, planning.unit_seconds(2000, shared), shared) == 200


@given(
    st.dictionaries(st.tuples(st.just(1), st.integers(1, 3)), st.integers(0, 60), max_size=3),
    st.lists(UNITS, max_size=6),
)
def test_missing_is_all_jobs_less_what_is_held(sizes: dict[tuple[int, int], int], held: list[Unit]) -> None:
    by_key = {key: intervals.union((unit.start, unit.stop) for unit in held if unit.key == key) for key in sizes}
    found = {(unit.key, job) for unit in planning.missing("a", sizes, by_key) for job in range(unit.start, unit.stop)}
    everything = {(key, job) for key, size in sizes.items() for job in range(1, size + 1)}
    assert found == everything - {(unit.key, job) for unit in held for job in range(unit.start, unit.stop)}
