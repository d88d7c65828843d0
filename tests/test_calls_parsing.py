"""`<calls/>`: what a session of calls may hold, where it is admitted, and who may send it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree
from world import CALLS, World

from park_spool import submit
from park_spool.catalog.registry import Registry
from park_spool.errors import SessionError
from park_spool.naming import Unit
from park_spool.places import NOWHERE
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session

HERE = Path(__file__).parent.parent
REGISTRY = Registry.load([HERE / "services"])
SCHEMA = etree.XMLSchema(etree.parse(HERE / "park_spool" / "session.xsd"))


def parse(xml: str, is_allowed: bool = True) -> Session:
    return parse_session(xml.encode(), REGISTRY, Limits(), functions_by_value=is_allowed)


def test_a_session_of_calls_grows() -> None:
    session = parse(CALLS)
    assert session.grows and session.sizes() == {(1, 1): 0} and session.warnings == ()
    task = session.groups[0].task
    assert (task.service, task.command, task.mode) == ("python", "call", "call")
    assert Session.from_json(json.loads(json.dumps(session.to_json()))) == session
    SCHEMA.assertValid(etree.fromstring(CALLS.encode()))
    with pytest.raises(IndexError):
        session.groups[0].joblists[0].input(1)


def test_other_sessions_do_not(tmp_path: Path) -> None:
    session = parse((HERE / "docs/examples/noop.xml").read_text())
    assert not session.grows
    record = session.to_json()
    for group in record["groups"]:  # type: ignore[attr-defined]
        for joblist in group["joblists"]:
            del joblist["grows"]  # as an earlier version wrote it
    assert Session.from_json(record) == session


def test_its_task_may_ask_for_nodes_and_lower_limits() -> None:
    task = (
        parse(CALLS.replace("python/call'", "python/call' nodes='n1' tags='gpu' timeout='60' memory='1 GB'"))
        .groups[0]
        .task
    )
    assert (task.nodes, task.tags, task.limits) == (("n1",), ("gpu",), {"timeout": 60.0, "memory": 10**9})


WRONG = {
    "<calls/> goes with cmd='python/call' alone": CALLS.replace("python/call", "tester/noop"),
    "cmd='python/call' runs <calls/> alone": CALLS.replace("<calls/>", "<input/>"),
    "<calls/> stands alone in its <joblist>": CALLS.replace("<calls/>", "<calls/><input/>"),
    "the calls come later, and nobody knows how many": CALLS.replace("<joblist>", "<joblist cnt='4'>"),
    "a second <calls> in <joblist>": CALLS.replace("<calls/>", "<calls/><calls/>"),
    "unknown element <input> in <calls>": CALLS.replace("<calls/>", "<calls><input/></calls>"),
    "a second <joblist> in a session of <calls/>": CALLS.replace("</group>", "<joblist><input/></joblist></group>"),
    "expected nothing else in it": CALLS.replace(
        "</session>", "<group><task cmd='tester/noop'/><joblist><input/></joblist></group></session>"
    ),
    "<reduce> in a session of <calls/>": CALLS.replace("<task", "<reduce classname='Chisq'/><task"),
    "<dataSet> in a session of <calls/>": CALLS.replace("<task", "<dataSet/><task"),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_it_holds_nothing_else(sentence: str) -> None:
    with pytest.raises(SessionError, match=re.escape(sentence)) as caught:
        parse(WRONG[sentence])
    assert caught.value.line is not None


@pytest.mark.parametrize("cmd", ["python/call", "call", "python/other"])
def test_no_input_reaches_the_code_that_unpickles(cmd: str) -> None:
    xml = CALLS.replace("python/call", cmd).replace("<calls/>", "<input function='os.system'/>")
    for is_allowed in (False, True):
        with pytest.raises(SessionError):
            parse(xml, is_allowed)


def test_a_site_that_runs_no_functions_by_value_rejects_it_in_words(tmp_path: Path) -> None:
    world = World(tmp_path, functions_by_value=False)
    (world.layout.inbox / "calls.xml").write_text(CALLS)
    world.let(world.spoold(), turns=3)
    assert (world.layout.rejected / "calls.xml").read_text() == CALLS
    why = (world.layout.rejected / "calls.xml.why").read_text()
    assert "functions that a Python program brings along do not run on this spool" in why
    assert "functions_by_value = true in park.toml" in why


def test_nobody_submits_one_by_hand(tmp_path: Path) -> None:
    (tmp_path / "calls.xml").write_text(CALLS)
    with pytest.raises(SessionError, match="only the Python program that makes the calls can send it"):
        submit.check(submit.read(tmp_path / "calls.xml"), REGISTRY, NOWHERE, 10**6)


def test_any_job_may_be_one_of_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    sid = world.admit(xml=CALLS)
    session = world.spoold()._standing(sid)
    assert session.tally.final  # nothing comes back of a session that this spoold does not tend
    known = world.member().disk.read(world.layout.session(sid) / "session.json")
    assert known is not None and b'"grows": true' in known
    from park_spool.admitted import decode

    admitted = decode(known)
    assert admitted.has(Unit(sid, 1, 1, 999_999_999, 1_000_000_000))
    assert not admitted.has(Unit(sid, 1, 2, 1, 2)) and not admitted.has(Unit(sid, 2, 1, 1, 2))
    assert not admitted.has(Unit(sid, 1, 1, 1, 2, 1))  # nobody retries a call but its asker
