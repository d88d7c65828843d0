"""What people see of chained work: what a session waits for, and why one was given up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chains import group, joblist, session
from console import park
from test_chained_tending import give
from test_starting import close, fit, reduce
from test_tending import beat
from world import World

from park_spool import admitted, controls, waiting_reasons
from park_spool.admitted import Admitted
from park_spool.cli.options import FAILED
from park_spool.cluster import Cluster, NodeView
from park_spool.controls import Controls
from park_spool.naming import Start
from park_spool.waiting_reasons import why_waiting

OTHER = "20261123-025532-zzzz"
NODE = Cluster(2, {}, (NodeView("n1", 2, 0, frozenset({"n1"})),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_doctests() -> None:
    import doctest

    assert doctest.testmod(waiting_reasons).failed == 0


def of(world: World, xml: str) -> Admitted:
    found = admitted.find(world.member().disk, world.layout, world.admit(xml=xml))
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("after", "expected"),
    [(OTHER, f"it waits for session {OTHER}"), (f"{OTHER}.2", f"it waits for group 2 of session {OTHER}")],
)
def test_a_session_waits_for_another(world: World, after: str, expected: str) -> None:
    one = of(world, session(group(), group(), group(after="2"), after=after))
    assert why_waiting(one, Controls(), NODE) == expected
    assert why_waiting(one, Controls(), NODE, unknown={OTHER}) == f"{expected}, which is not known here"
    assert why_waiting(one, Controls(), Cluster(0, {})) == expected, "nodes would not help"
    assert why_waiting(one, Controls(is_paused=True), NODE) == "it is paused; `park resume` lets it go on"


def test_some_groups_wait(world: World) -> None:
    one = of(world, session(group(), group(after="1"), group(after=f"{OTHER}.2")))
    expected = f"group 2 waits for group 1; group 3 waits for group 2 of session {OTHER}"
    assert why_waiting(one, Controls(), NODE) == expected
    assert why_waiting(one, Controls(), Cluster(0, {})) == "no node is alive; start one with `park-noded`"
    assert why_waiting(one, Controls(), NODE, starts={Start(2)}) == f"group 3 waits for group 2 of session {OTHER}"
    assert why_waiting(one, Controls(), NODE, starts={Start(2), Start(3)}) is None


def test_status_and_why_say_what_is_waited_for(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    beat(world, 2)
    reducer = reduce(world)
    for verb in ("status", "why"):
        lines = park(verb, sid, spool=world.root).stdout.splitlines()
        assert "queued" in lines[0]
        assert f"it waits for session {OTHER}, which is not known here" in lines
    assert json.loads(park("status", sid, "--json", spool=world.root).stdout)["waits"][0].startswith("it waits for")
    give(world, sid, Start(1))
    assert "waits for session" not in park("status", sid, spool=world.root).stdout
    reducer.leave()


def given_up(world: World) -> tuple[str, str]:
    """A session of which a group was done, and another waited for what was deleted; return it, and the reason."""
    sid = world.admit(xml=session(group(joblist(1)), group(after=OTHER)))
    world.layout.tombstone(OTHER).write_bytes(b"{}")
    fit(world, sid, "1.1.1", 7.5)
    reduce(world).leave()
    return sid, f"group 2 waited for session {OTHER}, which was deleted"


def test_the_reason_of_a_cancel_is_told_everywhere(world: World) -> None:
    sid, reason = given_up(world)
    for _ in range(2):
        assert f"cancelled: {reason}" in park("status", sid, spool=world.root).stdout.splitlines()
        lines = park("why", sid, spool=world.root).stdout.splitlines()
        assert lines[:2] == [f"{sid}: cancelled; 1 of 2 jobs have their result", reason]
        assert json.loads(park("why", sid, "--json", spool=world.root).stdout)["session"]["why"] == reason
        assert json.loads(park("status", sid, "--json", spool=world.root).stdout)["session"]["why"] == reason
        if world.layout.session(sid).is_dir():
            close(world, sid)
    done = park("wait", sid, spool=world.root)
    assert (done.exit_code, done.stdout.splitlines()) == (
        FAILED,
        [f"{sid} was cancelled: 1 of 2 jobs ok, best chisq 7.5 (job 1.1.1)", f"  {reason}"],
    )


def test_a_users_own_cancel_has_no_reason(world: World) -> None:
    sid = world.admit(xml=session(group(), after=OTHER))
    controls.say(world.member(), world.layout.session(sid), "cancel", "wei")
    assert "cancelled:" not in park("status", sid, spool=world.root).stdout
    assert json.loads(park("why", sid, "--json", spool=world.root).stdout)["session"]["why"] is None
