"""How many pilots are wanted: more when work lasts, fewer when it is gone, never more than allowed."""

from __future__ import annotations

import pytest

from park_spool.cluster import Cluster, NodeView
from park_spool.pilots.elastic import Decision, Supply, Trend, decide, unmet
from park_spool.pilots.fates import LEAVING, WORKING, Fates

PLAIN = frozenset({"python3.11"})


def trend(*looks: tuple[float, int]) -> Trend:
    made = Trend(10.0, 60.0)
    for now, wanted in looks:
        made.look(now, wanted)
    return made


def cluster(cpus: int, busy: int, *tags: str) -> Cluster:
    return Cluster(cpus, {}, (NodeView("n4_4711_x0p2qa", cpus, busy, frozenset(tags)),))


@pytest.mark.parametrize(
    ("ready", "nodes", "carried", "expected"),
    [
        ({}, Cluster(0, {}), PLAIN, 0),
        ({"100-100": 1}, Cluster(0, {}), PLAIN, 1),
        ({"100-100": 8}, cluster(4, 4), PLAIN, 8),
        ({"100-100": 8}, cluster(4, 1), PLAIN, 5),
        ({"100-100": 2}, cluster(4, 1), PLAIN, 0),
        ({"100-100+gpu": 5}, cluster(4, 0), PLAIN, 0),
        ({"100-100+gpu": 5}, cluster(4, 0), PLAIN | {"gpu"}, 5),
        ({"100-100+gpu": 5}, cluster(4, 0, "gpu"), PLAIN | {"gpu"}, 1),
        ({"100-100": 2, "099-100": 3}, Cluster(0, {}), PLAIN, 5),
        ({"100-100": 0}, Cluster(0, {}), PLAIN, 0),
    ],
)
def test_what_idle_cpus_are_about_to_take_is_met(
    ready: dict[str, int], nodes: Cluster, carried: frozenset[str], expected: int
) -> None:
    assert unmet(ready, nodes, carried) == expected


@pytest.mark.parametrize(
    ("looks", "now", "supply", "has_node", "expected"),
    [
        ([(0, 9)], 0, Supply(), False, Decision(submit=3)),  # nobody lives: at once
        ([(0, 9)], 0, Supply(), True, Decision()),  # it may go away by itself
        ([(0, 9), (10, 9)], 10, Supply(), True, Decision(submit=3)),  # it has lasted
        ([(0, 9), (5, 0), (10, 9)], 10, Supply(), True, Decision()),
        ([(0, 9)], 0, Supply(queued=2), False, Decision(submit=1)),
        ([(0, 9)], 0, Supply(queued=2, coming=1), False, Decision()),
        ([(0, 99)], 0, Supply(working=6), False, Decision(submit=2)),  # most is 8
        ([(0, 99)], 0, Supply(queued=8), False, Decision()),
        ([(0, 0), (60, 0)], 60, Supply(queued=3, cancellable=3), True, Decision(cancel=3)),
        ([(0, 0), (59, 0)], 59, Supply(queued=3, cancellable=3), True, Decision()),  # not long enough
        ([(0, 0), (30, 4), (60, 0)], 60, Supply(queued=3, cancellable=3), True, Decision(cancel=2)),
        ([(0, 0), (60, 0)], 60, Supply(queued=3, cancellable=1), True, Decision(cancel=1)),
    ],
)
def test_decisions(
    looks: list[tuple[float, int]], now: float, supply: Supply, has_node: bool, expected: Decision
) -> None:
    assert decide(trend(*looks), now, supply, cpus=4, least=0, most=8, has_node=has_node) == expected


def test_the_least_are_there_without_work_and_stay() -> None:
    nothing = trend((0, 0))
    assert decide(nothing, 0, Supply(), 4, 2, 8, False) == Decision(submit=2, steady=2)
    assert decide(nothing, 0, Supply(queued=1, steady=1), 4, 2, 8, False) == Decision(submit=1, steady=1)
    assert decide(nothing, 0, Supply(working=2, steady=2), 4, 2, 8, False) == Decision()


def test_a_pilot_without_a_node_has_failed_and_the_next_is_tried_later_and_later() -> None:
    fates, waits = Fates(), []
    for number in range(9):
        job = str(number)
        fates.submitted(job)
        assert fates.note(job, "over", 100.0)
        fates.failed(100.0)
        waits.append(fates.due - 100.0)
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    assert fates.note_nodes({"99"}) is False
    assert fates.is_well
    assert fates.due < 0


def test_where_a_pilot_is() -> None:
    fates = Fates()
    fates.submitted("1")
    assert fates.is_queued("1")
    assert fates.note("1", "running", 10.0) is False
    assert fates.place("1") == "running"
    assert fates.late(10.0 + Fates.START_SECONDS + 1) == ["1"]
    fates.note_nodes({"1"})
    assert (fates.place("1"), fates.late(1e9)) == (WORKING, [])
    assert fates.note_nodes(set()) is True
    assert fates.place("1") == LEAVING
    assert fates.note("1", "over", 20.0) is False
    assert fates.is_over("1")


def test_one_that_was_over_when_a_later_master_asked_has_not_failed() -> None:
    assert Fates().note("1", "over", 10.0) is False
