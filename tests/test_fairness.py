"""Shares of a node's time: whatever the users do, those who wait get the same number of seconds."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping

import pytest

from park_spool.running.fairness import KEPT, Shares


def simulate(
    lengths: Mapping[str, float],
    seconds: float,
    slots: int = 1,
    arrivals: Mapping[str, float] | None = None,
    shares: Shares | None = None,
) -> Counter[str]:
    """Serve users whose jobs all take so long, on so many slots; return the seconds that each had.

    The estimate is 1 s at first, then what the last job of the user took, as a node's is.
    """
    shares, had, estimates = shares or Shares(), Counter[str](), dict.fromkeys(lengths, 1.0)
    free = [(0.0, slot, "") for slot in range(slots)]
    while free[0][0] < seconds:
        now, slot, before = heapq.heappop(free)
        if before:
            had[before] += lengths[before]
            shares.charge(before, lengths[before] - estimates[before])
            estimates[before] = lengths[before]
        waiting = [user for user in lengths if (arrivals or {}).get(user, 0.0) <= now]
        shares.see(waiting)
        user = shares.next_of(waiting)
        shares.charge(user, estimates[user])
        heapq.heappush(free, (now + lengths[user], slot, user))
    return had


def test_two_users_with_equal_jobs_take_turns() -> None:
    had = simulate({"anna": 1.0, "bert": 1.0}, 100)
    assert abs(had["anna"] - had["bert"]) <= 1


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_two_users_with_long_and_short_jobs_get_the_same_time(slots: int) -> None:
    had = simulate({"anna": 30.0, "bert": 0.5}, 3000, slots)
    assert had["anna"] == pytest.approx(had["bert"], rel=0.1)


def test_one_user_alone_gets_everything() -> None:
    assert simulate({"anna": 2.0}, 100, slots=2) == {"anna": 196.0}


def test_a_latecomer_starts_at_the_least_account_of_those_present() -> None:
    had = simulate({"anna": 1.0, "bert": 1.0}, 200, arrivals={"bert": 100.0})
    assert had["bert"] == pytest.approx(50, abs=2)
    assert had["anna"] == pytest.approx(150, abs=2)


def test_who_comes_back_has_saved_nothing_up_and_owes_what_it_had() -> None:
    shares = Shares()
    shares.see(["anna", "bert"])
    shares.charge("anna", 10.0)
    shares.charge("bert", 50.0)
    shares.see(["anna"])
    shares.charge("anna", 30.0)
    shares.see(["anna", "bert"])
    assert (shares.used("anna"), shares.used("bert")) == (40.0, 50.0)
    shares.see(["bert"])
    shares.charge("bert", 100.0)
    shares.see(["anna", "bert"])
    assert (shares.used("anna"), shares.used("bert")) == (150.0, 150.0)


def test_who_was_alone_last_does_not_wait_for_those_who_left() -> None:
    """Nobody of the last look is left: a newcomer starts where the last one was served, not at nothing."""
    shares = Shares()
    shares.see(["anna"])
    for _ in range(5):
        shares.next_of(["anna"])
        shares.charge("anna", 10.0)
    shares.see(["bert"])
    assert shares.used("bert") == 40.0


def test_of_equals_the_first_named_comes_first() -> None:
    shares = Shares()
    shares.see(["carl", "anna"])
    assert shares.next_of(["carl", "anna"]) == "carl"


def test_accounts_of_those_who_left_are_forgotten_when_there_are_too_many() -> None:
    shares = Shares()
    for number in range(2 * KEPT):
        shares.see([f"user{number}"])
        shares.charge(f"user{number}", float(number))
    assert len(shares._used) <= KEPT + 2
