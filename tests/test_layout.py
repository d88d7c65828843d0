"""Names: whatever is made can be read again, and whatever is read is made again letter for letter."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import naming
from park_spool.naming import PATTERNS, Lock, Unit

SID = "20261123-025532-k3j9"
NODE = "n4_4711_x0p2qa"
UNITS = st.builds(
    lambda group, joblist, start, size, round_, attempt: Unit(
        SID, group, joblist, start, start + size, round_, attempt
    ),
    st.integers(0, 999),
    st.integers(0, 999),
    st.integers(1, 900_000_000),
    st.integers(1, 90_000_000),
    st.integers(0, 99),
    st.integers(0, 99),
)
# Names as they really lie about: a good one with a letter changed, and any text at all.
GOOD = (
    f"{SID}.001.001.000000001-000000048.00.00",
    f"{SID}.001.001.000000001-000000048.00.00@{NODE}",
    f"{NODE}.000000007.json",
    f"spoold.000001.{NODE}.000000003",
    f"tally.{NODE}.000000002",
    f"{NODE}.000000002",
    "100-096",
    "start.002.001.000000017",
)
NAMES = st.one_of(
    st.text(max_size=80),
    st.builds(
        lambda name, at, letter: name[: at % len(name)] + letter + name[at % len(name) + 1 :],
        st.sampled_from(GOOD),
        st.integers(0, 200),
        st.characters(),
    ),
)


@given(UNITS)
def test_units_come_back(unit: Unit) -> None:
    assert naming.parse_unit(unit.name) == unit
    assert naming.parse_reply(naming.reply_name(unit, NODE)) == (unit, NODE)


@given(st.lists(UNITS, max_size=6))
def test_sorted_names_are_sorted_units(units: list[Unit]) -> None:
    assert sorted(units) == [naming.parse_unit(name) for name in sorted(unit.name for unit in units)]


@given(NAMES)
def test_what_is_read_is_made_again_letter_for_letter(name: str) -> None:
    """A name that two spellings could mean would be looked for under the other one, and never found."""
    makers: list[tuple[Callable[[str], object], Callable[..., str]]] = [
        (naming.parse_unit, lambda unit: unit.name),
        (naming.parse_reply, lambda found: naming.reply_name(*found)),
        (naming.parse_heartbeat, lambda found: naming.heartbeat_name(*found)),
        (naming.parse_lock, lambda lock: lock.name),
        (naming.parse_tally, lambda found: naming.tally_name(*found)),
        (naming.parse_bundle, lambda found: naming.bundle_name(*found)),
        (naming.parse_start, lambda start: start.name),
    ]
    for parse, make in makers:
        found = parse(name)
        assert found is None or make(found) == name


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "change", ["{}\n", " {}", ".{}", "{}~", "./{}", "{}.swp", "..", "", ".nfs000001", ".fuse_hidden0001"]
)
def test_strangers_are_no_names(name: str, change: str) -> None:
    stranger = change.format(name)
    assert not any(pattern.fullmatch(stranger) for pattern in PATTERNS.values())
    assert naming.parse_unit(stranger) is None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_other_digits_than_ours(pattern: str) -> None:
    """`int` reads Arabic digits too: such a name would be read as a unit that nobody ever finds."""
    assert not any(PATTERNS[pattern].fullmatch(name.replace("0", "\u0660")) for name in (*GOOD, SID, NODE))


@pytest.mark.parametrize("numbers", ["000.000.000000000", "001.000.000000001", "001.001.000000000"])
def test_impossible_starts_are_none(numbers: str) -> None:
    assert naming.parse_start(f"start.{numbers}") is None


@pytest.mark.parametrize("span", ["000000000-000000004", "000000005-000000004"])
def test_impossible_ranges_are_no_units(span: str) -> None:
    assert naming.parse_unit(f"{SID}.001.001.{span}.00.00") is None


@given(
    st.tuples(st.integers(-100, 100), st.integers(-100, 100)), st.tuples(st.integers(-100, 100), st.integers(-100, 100))
)
def test_sorted_ranks_are_the_order_of_service(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert naming.is_rank(naming.rank(*one))
    assert (naming.rank(*one) < naming.rank(*other)) == (one > other)


def test_a_rank_may_carry_a_tag() -> None:
    assert naming.is_rank("100-096+gpu")
    assert not naming.is_rank("100-096+")
    assert not naming.is_rank("100-096+../x")


@given(st.text(max_size=80), st.integers(1, 4_194_304), st.integers())
def test_every_host_gives_a_node_name(host: str, pid: int, seed: int) -> None:
    assert naming.is_node(naming.new_node(host, pid, random.Random(seed).choice))


@given(st.integers(0, 4_000_000_000))
def test_sids_carry_their_time(now: int) -> None:
    sid = naming.new_sid(float(now), random.Random(now).choice)
    assert naming.is_sid(sid)
    assert naming.sid_time(sid) == now


@given(st.text(alphabet=st.characters(exclude_characters="/\x00"), min_size=1, max_size=40))
def test_submitted_names_come_apart(file: str) -> None:
    assert naming.split_submitted(naming.submitted_name(SID, file)) == (SID, file)
    assert naming.split_submitted(f"{SID}.") == (None, f"{SID}.")


def test_locks_come_back() -> None:
    lock = Lock("reduced", 12, NODE, 3)
    assert naming.parse_lock(lock.name) == lock
    assert naming.parse_lock(lock.name.replace("reduced", "web")) is None


def test_attempts_and_pieces() -> None:
    unit = Unit(SID, 1, 2, 1, 49)
    assert unit.size == 48
    assert unit.key == (1, 2)
    assert unit.piece(3, 5) == Unit(SID, 1, 2, 3, 5)
    assert unit.next_attempt().name.endswith(".00.01")
