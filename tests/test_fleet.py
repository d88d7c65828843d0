"""What becomes of each host of a fleet, by looks, starts and failures alone."""

from __future__ import annotations

import pytest

from park_spool.mastering import fleet
from park_spool.mastering.fleet import GRAVE_PAUSE, KEEPERS_TURN, LONGEST, PATIENCE, STEADY, Standing


def up(now: float = 0.0, failures: int = 0) -> Standing:
    return Standing("up", now, 0.0, failures)


def test_a_host_without_a_node_is_due_at_once() -> None:
    standings = {"n1": Standing(), "n2": up(), "n3": Standing("down", due=5.0)}
    assert fleet.due(standings, 1.0) == ["n1"]
    assert fleet.next_due(standings) == 0.0


def test_from_the_start_to_the_first_heartbeat() -> None:
    one = fleet.begun(Standing(), 1.0)
    assert fleet.seen(one, False, False, 500.0) == one, "a thread that starts it says how that ended"
    one = fleet.started(one, 3.0)
    assert (one.phase, fleet.due({"n1": one}, 1e9)) == ("awaited", [])
    assert fleet.seen(one, False, False, 3.0 + PATIENCE - 1) == one
    assert fleet.seen(one, True, False, 5.0) == up(5.0)


def test_one_that_is_heard_before_its_start_is_reported_is_up() -> None:
    assert fleet.started(up(2.0), 3.0) == fleet.failed(up(2.0), "late", 3.0) == up(2.0)


def test_one_that_is_never_heard_has_failed() -> None:
    one = fleet.seen(Standing("awaited", 0.0), False, False, PATIENCE)
    assert (one.phase, one.failures) == ("down", 1)
    assert "no heartbeat" in one.why


def test_a_lost_node_is_its_keepers_first_then_the_masters() -> None:
    lost = fleet.seen(up(0.0), False, False, 10.0)
    assert (lost.phase, lost.due, lost.failures) == ("down", 10.0 + KEEPERS_TURN, 1)
    assert fleet.seen(lost, True, False, 12.0).phase == "up"
    assert fleet.due({"n1": lost}, 15.0) == ["n1"]


def test_failures_count_until_a_node_has_been_steady() -> None:
    assert fleet.seen(up(0.0, 3), True, False, STEADY - 1).failures == 3
    assert fleet.seen(up(0.0, 3), True, False, STEADY).failures == 0
    assert fleet.seen(up(0.0, 3), False, False, STEADY).failures == 0
    assert fleet.seen(up(0.0, 3), False, False, STEADY - 1).failures == 4


@pytest.mark.parametrize(("failures", "kind", "wait"), [(0, "", 2.0), (3, "", 16.0), (30, "", LONGEST)])
def test_tries_are_ever_further_apart(failures: int, kind: str, wait: float) -> None:
    one = fleet.failed(Standing("starting", 0.0, 0.0, failures), "unreachable", 100.0, kind)
    assert one.due == 100.0 + wait
    assert one.why == "unreachable"


def test_a_login_that_is_refused_is_not_tried_again_soon() -> None:
    assert fleet.failed(Standing("starting"), "no", 0.0, "login").due == GRAVE_PAUSE


def test_one_that_was_sent_home_stays_there_until_it_is_wanted_back() -> None:
    away = fleet.seen(up(0.0), False, True, 9.0)
    assert (away.phase, away.is_settled) == ("away", True)
    assert fleet.seen(away, False, True, 1e6) == away
    assert fleet.due({"n1": fleet.seen(away, False, False, 20.0)}, 20.0) == ["n1"]
    assert fleet.seen(up(0.0), True, True, 9.0).phase == "up", "it lives until it has left"
    assert fleet.seen(Standing(), False, True, 0.0).phase == "away", "a new master does not start it either"
