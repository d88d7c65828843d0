"""Why an open session waits: one sentence, the first reason that a user can do something about."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import SESSION, World

from park_spool import admitted
from park_spool.admitted import Admitted
from park_spool.atomic import Disk
from park_spool.cluster import Cluster, NodeView
from park_spool.controls import Controls
from park_spool.waiting_reasons import why_waiting

NOTHING = Controls()


@pytest.fixture
def session(tmp_path: Path) -> Admitted:
    """Two groups: the first asks for nothing, the second is given what a test wants."""
    world = World(tmp_path)
    xml = SESSION.format(many=2, few=1).replace(
        " <group", " <group name='group0'><task cmd='tester/noop'/><joblist><input/></joblist></group>\n <group"
    )
    found = admitted.find(Disk(world.layout.tmp, "test"), world.layout, world.admit(xml=xml))
    assert found is not None
    return found[1]


def asking(session: Admitted, group: int, nodes: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> Admitted:
    task = session.session.groups[group - 1].task
    object.__setattr__(task, "nodes", nodes)
    object.__setattr__(task, "tags", tags)
    return session


def cluster(*nodes: NodeView) -> Cluster:
    return Cluster(sum(node.cpus for node in nodes), {}, nodes)


N1, N2 = NodeView("n1", 2, 0, frozenset({"n1"})), NodeView("n2", 2, 0, frozenset({"n2", "gpu"}))
AWAY = NodeView("n3", 2, 0, frozenset({"n3"}), is_claiming=False)


def test_nothing_is_in_the_way(session: Admitted) -> None:
    assert why_waiting(session, NOTHING, cluster(N1)) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Controls(is_paused=True), "it is paused; `park resume` lets it go on"),
        (Controls(is_cancelled=True, is_paused=True), "it was cancelled; what still runs is being stopped"),
        (Controls(is_cancelled=True, is_deleted=True), "it is being deleted"),
    ],
)
def test_what_users_said_comes_first(session: Admitted, said: Controls, expected: str) -> None:
    assert why_waiting(session, said, cluster()) == expected


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ((), "no node is alive; start one with `park-noded`"),
        ((AWAY,), "the only node takes no work now; `park nodes` says why"),
        ((AWAY, AWAY), "none of the 2 nodes takes work now; `park nodes` says why"),
    ],
)
def test_nobody_is_there(session: Admitted, nodes: tuple[NodeView, ...], expected: str) -> None:
    assert why_waiting(session, NOTHING, cluster(*nodes)) == expected


def test_nobody_suits_one_group(session: Admitted) -> None:
    asking(session, 2, tags=("fpga",))
    assert why_waiting(session, NOTHING, cluster(N1, N2)) == "group 2: no node that takes work carries the tag fpga"


def test_nobody_suits_any_group(session: Admitted) -> None:
    for group in (1, 2):
        asking(session, group, nodes=("n3", "n4"))
    expected = "no node that takes work carries the tag n3 or n4"
    assert why_waiting(session, NOTHING, cluster(N1, AWAY)) == expected


def test_each_tag_is_carried_and_nobody_carries_both(session: Admitted) -> None:
    for group in (1, 2):
        asking(session, group, nodes=("n1",), tags=("gpu",))
    assert why_waiting(session, NOTHING, cluster(N1, N2)) == "no node that takes work carries all of n1, gpu"


def test_the_reducer_does_not_keep_up(session: Admitted) -> None:
    reason = why_waiting(session, NOTHING, cluster(N1), 12_000)
    assert (
        reason == "12,000 replies wait for the reducer, more than max_replies (10,000); see whether `park-reduced` runs"
    )
    assert why_waiting(session, NOTHING, cluster(N1), 10_000) is None
