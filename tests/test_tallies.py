"""Tallies: small for any number of jobs, and put together as sets are, in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from park_spool import intervals, naming, sealed, tallies
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.tallies import Tally

KEYS = st.tuples(st.integers(1, 2), st.integers(1, 2))
FINAL = st.dictionaries(
    KEYS,
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=3)
    .map(intervals.union)
    .filter(bool),
    max_size=3,
)
FAILURES = st.dictionaries(
    KEYS,
    st.dictionaries(st.integers(1, 20), st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=4).map(
        lambda jobs: [(job, *last) for job, last in sorted(jobs.items())]
    ),
    max_size=3,
)
TALLIES = st.builds(Tally, FINAL, FAILURES)


def jobs(tally: Tally) -> set[tuple[int, int, int]]:
    return {(*key, job) for key, pieces in tally.final.items() for start, stop in pieces for job in range(start, stop)}


@given(TALLIES)
def test_tallies_come_back(tally: Tally) -> None:
    assert tallies.decode(tallies.encode(tally)) == tally


@given(st.lists(TALLIES, max_size=4), st.randoms(use_true_random=False))
def test_union_is_that_of_sets_in_any_order(several: list[Tally], choose: Any) -> None:
    together = tallies.union(several)
    assert jobs(together) == set().union(*(jobs(tally) for tally in several))
    assert tallies.union(choose.sample(several, len(several))) == together
    assert tallies.union([together, together]) == together
    assert all(tally.is_within(together) for tally in several)


@given(st.lists(TALLIES, max_size=3))
def test_the_highest_failure_of_a_job_counts_unless_it_is_final(several: list[Tally]) -> None:
    together = tallies.union(several)
    for key, failures in together.failures.items():
        for job, round_, attempt in failures:
            assert (*key, job) not in jobs(together)
            named = [one[1:] for tally in several for one in tally.failures.get(key, []) if one[0] == job]
            assert (round_, attempt) == max(named)


@given(TALLIES, TALLIES)
def test_within(one: Tally, other: Tally) -> None:
    assert one.is_within(other) == (jobs(one) <= jobs(other))


def test_covers() -> None:
    tally = Tally({(1, 1): [(1, 5)], (1, 2): [(1, 3), (4, 5)]})
    assert tally.covers({(1, 1): 4})
    assert not tally.covers({(1, 1): 5})
    assert not tally.covers({(1, 1): 4, (1, 2): 4})
    assert not tally.covers({(2, 1): 1})
    assert Tally().covers({(1, 1): 0})


def test_ten_million_final_jobs_are_a_few_bytes() -> None:
    assert len(tallies.encode(Tally({(1, 1): [(1, 10_000_001)]}))) < 250


def test_a_million_failures_are_a_bounded_tally() -> None:
    """Those that are not named one by one are still told apart from jobs that nobody ran: they may not be run again yet."""
    failed = Tally({}, {(1, 1): [(job, 0, 0) for job in range(1, 1_000_001)]})
    data = tallies.encode(failed)
    assert len(data) < 100_000
    found = tallies.decode(data)
    assert found.failures[1, 1] == failed.failures[1, 1][: tallies.MAX_FAILURES]
    assert found.unnamed == {(1, 1): [(tallies.MAX_FAILURES + 1, 1_000_001)]}
    assert tallies.union([found, found]) == found
    assert tallies.union([found, Tally({(1, 1): [(5000, 1_000_001)]})]).unnamed == {(1, 1): [(2001, 5000)]}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"final": {}},
        {"final": [], "failures": {}},
        {"final": {"1.1": 3}, "failures": {}},
        {"final": {"1.1": [[1]]}, "failures": {}},
        {"final": {"x": [[1, 2]]}, "failures": {}},
        {"final": {"1.1": [["a", "b"]]}, "failures": {}},
        {"final": {}, "failures": {"1.1": [[1, 2]]}},
        {"final": {}, "failures": {"1.1": None}},
    ],
)
def test_whole_files_that_are_no_tallies_are_torn(fields: dict[str, Any]) -> None:
    with pytest.raises(TornError, match="not a tally"):
        tallies.decode(sealed.seal_json(fields))


def test_the_newest_tally_of_each_reducer_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    disk = Disk(world.layout.tmp, "me")
    one, other = "h1_1_000000", "h2_2_000000"
    written = {
        naming.tally_name(one, 9): [(1, 3)],
        naming.tally_name(one, 10): [(1, 4)],
        naming.tally_name(other, 1): [(7, 8)],
    }
    for name, pieces in written.items():
        disk.publish(tmp_path / name, tallies.encode(Tally({(1, 1): pieces})))
    (tmp_path / naming.tally_name("h3_3_000000", 1)).write_bytes(b"torn")
    (tmp_path / "session.json").touch()
    known: dict[str, Any] = {}
    assert tallies.read(disk, tmp_path, known).final == {(1, 1): [(1, 4), (7, 8)]}
    assert set(known) == {naming.tally_name(one, 10), naming.tally_name(other, 1)}
    (tmp_path / naming.tally_name(one, 10)).write_bytes(b"not read again: a name never changes")
    assert tallies.read(disk, tmp_path, known).final == {(1, 1): [(1, 4), (7, 8)]}
    for path in tmp_path.glob("tally.*"):
        path.unlink()
    assert tallies.read(disk, tmp_path, known) == Tally()
    assert known == {}
