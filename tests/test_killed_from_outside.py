"""A signal that was meant for the whole node is no job's failure: not believed if the node is told to leave soon after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import ScriptedRunner, World

from park_spool.naming import Unit
from park_spool.running import killed_from_outside
from park_spool.running.node import Node


class Signalled(ScriptedRunner):
    """Each unit's first job is ok, the second one is ended by a signal, and the others by nobody."""

    number = 15

    def _line(self, joblist: int, job: int, attempt: int) -> bytes:
        line = json.loads(super()._line(joblist, job, attempt))
        if job == 2:
            line |= {"status": "failed", "signal": self.number, "why": "was killed", "output": ""}
        return json.dumps(line).encode() + b"\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    sid = made.admit(many=3, few=1)
    made.plant_ready(Unit(sid, 1, 1, 1, 4))
    return made


def working(world: World) -> Node:
    """A node whose one unit has just ended, its second job by a signal."""
    node = world.node(slots=1)
    node.shop.runners[:] = [Signalled() for _ in node.shop.runners]
    node.step()
    node.step()
    assert [claim.held_until > 0 for claim in node.shop.hands] == [True]
    assert ends(world.layout.replies) == []
    return node


def ends(folder: Path) -> list[str]:
    return sorted(path.name.partition("@")[0][-25:] for path in folder.rglob("2*") if path.is_file())


def test_a_job_that_was_killed_with_its_node_is_given_back_at_the_same_attempt(world: World) -> None:
    node = working(world)
    node.drain(10.0)
    node.step()
    assert node.is_done
    assert ends(world.layout.ready) == ["000000002-000000003.00.00"]
    assert ends(world.layout.replies) == ["000000001-000000003.00.00"]
    assert world.sabotage_free() == []


def test_it_counts_as_its_own_failure_when_nobody_tells_the_node_to_leave(world: World) -> None:
    node = working(world)
    world.clock.now += killed_from_outside.HOLD_SECONDS
    node.step()
    assert (ends(world.layout.ready), len(ends(world.layout.replies))) == ([], 1)


def test_one_that_leaves_at_once_gives_it_back_too(world: World) -> None:
    working(world).leave()
    assert ends(world.layout.ready) == ["000000002-000000003.00.00"]


@pytest.mark.parametrize(
    ("result", "is_suspect"),
    [
        ({"status": "failed", "signal": 15}, True),
        ({"status": "failed", "signal": 9}, True),
        ({"status": "failed", "exit": 143}, True),
        ({"status": "failed", "exit": 1}, False),
        ({"status": "failed", "signal": 11}, False),
        ({"status": "ok", "signal": 15}, False),
    ],
)
def test_which_ends_are_suspect(result: dict[str, object], is_suspect: bool) -> None:
    assert (killed_from_outside.first([json.dumps(result).encode()]) == 0) is is_suspect
