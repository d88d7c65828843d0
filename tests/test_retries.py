"""Rounds: which jobs a retry names, and what a tally that does not know it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from park_spool import intervals, naming, retries, tallies
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.intervals import Intervals
from park_spool.retries import Retries
from park_spool.tallies import Tally

KEY, OTHER = (1, 1), (1, 2)
TWICE = Retries({1: {KEY: [(3, 9)]}, 2: {KEY: [(4, 5)], OTHER: [(1, 2)]}})
SETS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=4).map(intervals.union)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read(world: World, folder: Path) -> Retries:
    disk = Disk(world.layout.tmp, "test")
    return retries.read(disk, folder, disk.names(folder), {})


def test_the_highest_round_that_names_a_job_is_its_round() -> None:
    assert [TWICE.round_of(KEY, job) for job in (2, 3, 4, 5)] == [0, 1, 2, 1]
    assert TWICE.round_of(OTHER, 1) == 2
    assert [TWICE.is_last(KEY, 4, number) for number in (0, 1, 2)] == [False, False, True]
    assert TWICE.highest == 2


@given(SETS, SETS, SETS)
def test_split_sorts_every_job_into_its_round(first: Intervals, second: Intervals, pieces: Intervals) -> None:
    again = Retries({1: {KEY: first}, 2: {KEY: second}})
    found = [(number, job) for number, jobs in again.split(KEY, pieces) for a, b in jobs for job in range(a, b)]
    assert sorted(job for _, job in found) == [job for a, b in pieces for job in range(a, b)]
    assert all(number == again.round_of(KEY, job) for number, job in found)


def test_what_was_written_is_read_again(world: World) -> None:
    folder = world.layout.session(world.admit())
    member = world.member()
    assert retries.open_round(member, folder, {KEY: [(1, 3)]}, "wwchen") == 1
    assert retries.open_round(member, folder, {KEY: [(2, 3)], OTHER: [(1, 2)]}, "wwchen") == 2
    assert read(world, folder) == Retries({1: {KEY: [(1, 3)]}, 2: {KEY: [(2, 3)], OTHER: [(1, 2)]}})


def test_two_files_of_one_round_both_count(world: World) -> None:
    folder = world.layout.session(world.admit())
    for name, jobs in (("aaaaaa", [(1, 2)]), ("bbbbbb", [(3, 4)])):
        (folder / f"retry.01.{name}").write_bytes(retries.encode({KEY: jobs}, "wwchen", 0.0))
    assert read(world, folder) == Retries({1: {KEY: [(1, 2), (3, 4)]}})


def test_whoever_sees_that_two_opened_a_round_at_once_opens_the_next(world: World) -> None:
    """Else a tally that knows the first one's would be taken for one that knows both."""
    folder = world.layout.session(world.admit())

    class Slow(Disk):
        is_late = True

        def names(self, folder: Path, hidden: bool = False) -> list[str]:
            found = super().names(folder, hidden)
            if self.is_late:
                self.is_late = False
                retries.open_round(world.member(), folder, {KEY: [(1, 2)]}, "anna")
            return found

    assert retries.open_round(world.member(Slow), folder, {KEY: [(3, 4)]}, "bert") == 2
    assert read(world, folder) == Retries({1: {KEY: [(1, 2), (3, 4)]}, 2: {KEY: [(3, 4)]}})


def test_there_is_a_last_round(world: World) -> None:
    folder = world.layout.session(world.admit())
    (folder / "retry.99.aaaaaa").write_bytes(retries.encode({}, "wwchen", 0.0))
    with pytest.raises(ValueError, match="at most 99 rounds"):
        retries.open_round(world.member(), folder, {KEY: [(3, 4)]}, "bert")


@pytest.mark.parametrize("data", [b"torn", retries.encode({KEY: [(1, 2)]}, "wwchen", 0.0)[:-3]])
def test_a_damaged_one_names_nobody(world: World, data: bytes) -> None:
    folder = world.layout.session(world.admit())
    (folder / "retry.01.aaaaaa").write_bytes(data)
    with pytest.raises(TornError):
        retries.decode(data)
    assert read(world, folder).rounds == {1: {}}


def test_one_that_is_listed_and_not_there_yet_is_read_later(world: World) -> None:
    folder = world.layout.session(world.admit())
    disk, known = Disk(world.layout.tmp, "test"), {}  # type: ignore[var-annotated]
    assert retries.read(disk, folder, ["retry.01.aaaaaa"], known) == Retries()
    (folder / "retry.01.aaaaaa").write_bytes(retries.encode({KEY: [(1, 2)]}, "wwchen", 0.0))
    assert retries.read(disk, folder, ["retry.01.aaaaaa"], known).highest == 1


def test_a_tally_counts_less_what_it_does_not_know_to_be_run_again(world: World) -> None:
    folder = world.layout.session(world.admit())
    (folder / naming.tally_name("h1_1_000000", 1)).write_bytes(tallies.encode(Tally({KEY: [(1, 9)]}, round=1)))
    found = tallies.read(Disk(world.layout.tmp, "test"), folder, {}, TWICE)
    assert found.final == {KEY: [(1, 4), (5, 9)]}
    assert found.round == 2
