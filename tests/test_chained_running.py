"""Nodes and chained work: what jobs start from, and what a node does while it cannot see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chains import group, joblist, session, steps
from click.testing import CliRunner
from running_site import Site
from slow_runner import answers, held, slow_node
from test_chained_tending import give
from test_starting import fit, reduce
from test_tending import publish_tally
from world import STRANGER, World

from park_spool import starts
from park_spool.cli.options import FAILED, FINE
from park_spool.cli.rerun import rerun
from park_spool.naming import Start, Unit
from park_spool.running.assignment import Assignment
from park_spool.running.inputs import Inputs
from park_spool.sessions.element import Element
from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import JobList
from park_spool.starts import Given
from park_spool.tallies import Tally


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def publish(world: World, sid: str, start: Start, **values: str) -> None:
    (world.layout.session(sid) / start.name).write_bytes(starts.encode(Given(values), STRANGER, 0.0))


# what a job reads


def test_start_values_lie_under_what_input_and_scan_say(tmp_path: Path) -> None:
    scan = Scan((Axis("x", ("1", "2")),), Element("input", {"scale": "0.9"}))
    made = Inputs(JobList("j", 0, 2, (), scan), (), tmp_path, (), {"x": "7", "scale": "8", "y": "9"})
    assert [made.of(job).element.attributes for job in (1, 2)] == [
        {"y": "9", "scale": "0.9", "x": "1"},
        {"y": "9", "scale": "0.9", "x": "2"},
    ]
    assert made.of(1).text == '<input y="9" scale="0.9" x="1"/>'


def test_a_worker_is_told_what_its_jobs_start_from(tmp_path: Path) -> None:
    given = Assignment("u", tmp_path, tmp_path, (), (), 1, 1, ((1, 2),), tmp_path, start={"film_sld": "2.4 Å"})
    assert Assignment.from_line(given.to_line()) == given


ECHO = '[commands.run]\nmode = "function"\nfunction = "f:run"\ntakes = "{takes}"\n[commands.run.inputs.x]\ntype = "float"\n'


@pytest.mark.parametrize(
    ("takes", "expected"), [("dict", {"x": 2.5, "do": "a"}), ("xml", '<input x="2.5" do="a"/>')], ids=["dict", "xml"]
)
def test_a_function_gets_them(tmp_path: Path, takes: str, expected: Any) -> None:
    site = Site(tmp_path)
    code = "def run(given):\n    return given\n"
    site.add_service("zoo", ECHO.format(takes=takes), {"f.py": code})
    assignment = site.assignment(["a"])
    site.slot.start(Assignment.from_line(assignment.to_line().replace(b'"start": {}', b'"start": {"x": "2.5"}')))
    [line] = site.wait()
    site.slot.close()
    output = json.loads(line)["output"]
    assert (json.loads(output) if takes == "dict" else output) == expected


# what a node does


def test_a_node_starts_a_unit_from_its_start_values(world: World) -> None:
    sid = world.admit(xml=session(group(), group(steps(3), after="1")))
    publish(world, sid, Start(2), x="1", y="2")
    publish(world, sid, Start(2, 1, 2), y="3")
    node, [runner, _] = slow_node(world)
    for job, expected in ((1, {"x": "1", "y": "2"}), (2, {"x": "1", "y": "3"})):
        world.plant_ready(Unit(sid, 2, 1, job, job + 1))
        runner.is_finished = False
        node.step()
        assert runner.assignment is not None
        assert runner.assignment.start == expected
        runner.is_finished = True
        node.step()
    assert len(answers(world)) == 2


def test_what_waits_for_nothing_starts_from_nothing(world: World) -> None:
    sid = world.admit(xml=session(group(steps(3), joblist(2))))
    node, [runner, _] = slow_node(world)
    world.plant_ready(Unit(sid, 1, 1, 1, 2))
    node.step()
    assert runner.assignment is not None
    assert runner.assignment.start == {}


def test_a_node_waits_for_start_values_that_it_does_not_see_yet(world: World) -> None:
    sid = world.admit(xml=session(group(), group(after="1")))
    unit = Unit(sid, 2, 1, 1, 2)
    world.plant_ready(unit)
    node, [runner, _] = slow_node(world)
    world.let(node, turns=5)
    assert (runner.starts, held(world, node)) == (0, [unit.name])
    (world.layout.session(sid) / Start(2).name).write_bytes(b"torn")
    world.let(node, turns=2)
    assert runner.starts == 0
    give(world, sid, Start(2))
    node.step()
    assert runner.starts == 1


def test_start_values_that_never_come_make_a_stray(world: World) -> None:
    sid = world.admit(xml=session(group(), group(after="1")))
    world.plant_ready(Unit(sid, 2, 1, 1, 2))
    node, [runner, _] = slow_node(world)
    world.let(node, turns=int(world.config.unit_lifetime) - 2, tick=1.0)
    assert len(held(world, node)) == 1
    world.let(node, turns=5, tick=1.0)
    assert (held(world, node), runner.starts, answers(world)) == ([], 0, {})


def test_a_step_that_was_answered_elsewhere_is_dropped_at_once(world: World) -> None:
    sid = world.admit(xml=session(group(steps(3))))
    world.plant_ready(Unit(sid, 1, 1, 2, 3))
    publish_tally(world, sid, Tally({(1, 1): [(1, 3)]}))
    node, [runner, _] = slow_node(world)
    world.let(node, turns=2)
    assert (held(world, node), runner.starts) == ([], 0)


def test_two_steps_in_one_unit_are_nobodys(world: World) -> None:
    sid = world.admit(xml=session(group(steps(3))))
    unit = Unit(sid, 1, 1, 1, 3)
    world.plant_ready(unit, "100-100")
    node, [runner, _] = slow_node(world)
    world.let(node, turns=2)
    assert (runner.starts, held(world, node)) == (0, [])
    assert (world.layout.quarantine / f"{unit.name}.why").exists()


# once more, by hand


def again(world: World, sid: str, job: str) -> tuple[int, str, str]:
    words = [sid, job, "--here", "--spool", str(world.root)]
    done = CliRunner().invoke(rerun, words, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def echo(xml: str) -> str:
    return xml.replace("tester/noop", "tester/echo")


def test_a_job_is_run_again_from_where_it_started(world: World) -> None:
    sid = world.admit(xml=echo(session(group(), group(steps(3), after="1"))))
    reducer = world.reducer()
    code, _, error = again(world, sid, "2.1.1")
    assert code == FAILED and f"group 2 of session {sid} has no start values yet: it waits for group 1" in error
    fit(world, sid, "1.1.1", 3.0, x=2.5)
    reduce(world, reducer)
    code, output, error = again(world, sid, "2.1.1")
    assert (code, json.loads(output)) == (FINE, {"x": "2.5"})
    assert f"starts from job 1.1.1 of {sid}" in error
    code, _, error = again(world, sid, "2.1.2")
    assert code == FAILED and f"job 2.1.2 of session {sid} waits for job 2.1.1" in error
    fit(world, sid, "2.1.1", 2.0, x=3.5, y=1)
    reduce(world, reducer)
    assert json.loads(again(world, sid, "2.1.2")[1]) == {"x": "3.5", "y": "1"}
    fit(world, sid, "2.1.2", 2.0, y=2)
    reduce(world, reducer)
    assert not (world.layout.session(sid) / Start(2, 1, 2).name).exists()
    assert json.loads(again(world, sid, "2.1.2")[1]) == {"x": "3.5", "y": "1"}, "as the archive has it"
    assert json.loads(again(world, sid, "2.1.3")[1]) == {"x": "2.5", "y": "2"}
    reducer.leave()
