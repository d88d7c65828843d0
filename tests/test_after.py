"""`after` and `order='sequential'` as a session says them: what is understood, and what is told of what is not."""

from __future__ import annotations

import doctest
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from park_spool.catalog.registry import Registry
from park_spool.errors import SessionError
from park_spool.sessions import after as module
from park_spool.sessions.after import After, after_of
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.writing import to_xml

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = Registry.load([ROOT / "services"])
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "park_spool" / "session.xsd"))
SID, OTHER = "20261123-025532-k3j9", "20261123-025532-zzzz"
GROUP = "<group {attributes}><task cmd='tester/chisq'/><joblist {joblist}>{inputs}</joblist></group>"


def session(*groups: str, attributes: str = "", joblist: str = "", inputs: str = "<input/>") -> str:
    written = "".join(GROUP.format(attributes=group, joblist=joblist, inputs=inputs) for group in groups)
    return f"<session user='w' {attributes}>{written}</session>"


def parse(xml: str | bytes, sid: str | None = None) -> Session:
    data = xml.encode() if isinstance(xml, str) else xml
    SCHEMA.assertValid(etree.fromstring(data))
    return parse_session(data, REGISTRY, Limits(), sid=sid)


def test_doctests() -> None:
    assert doctest.testmod(module).failed == 0


def test_a_session_waits_for_another_and_each_group_with_it() -> None:
    found = parse(session("", "", attributes=f"after='{SID}'"))
    assert found.after == SID
    assert [after_of(found, number) for number in (1, 2)] == [After(SID), After(SID)]
    assert found.warnings == ()


def test_what_a_group_says_counts_before_what_its_session_says() -> None:
    found = parse(session("", "after='1'", f"after=' {OTHER}.7 '", attributes=f"after='{SID}.2'"))
    assert [group.after for group in found.groups] == ["", "1", f"{OTHER}.7"]
    assert [after_of(found, number) for number in (1, 2, 3)] == [After(SID, 2), After(None, 1), After(OTHER, 7)]


def test_without_it_nothing_waits() -> None:
    found = parse(session("", ""))
    assert (found.after, after_of(found, 1), after_of(found, 2)) == ("", None, None)


def test_a_sequential_job_list() -> None:
    found = parse(session("", joblist="order='sequential' cnt='10000'"))
    [joblist] = found.groups[0].joblists
    assert (joblist.is_sequential, joblist.size) == (True, 10_000)
    assert not parse(session("")).groups[0].joblists[0].is_sequential


def test_it_comes_back_from_json_and_from_xml() -> None:
    found = parse(session("", "after='1'", attributes=f"after='{SID}.2'", joblist="order='sequential'"))
    assert Session.from_json(found.to_json()) == found
    again = parse(to_xml(found))
    assert (again.groups, again.after) == (found.groups, found.after)
    assert b"after=" not in to_xml(replace(found, after="", groups=found.groups[:1]))


def test_a_session_is_not_sent_to_wait_for_itself() -> None:
    for xml in (session("", attributes=f"after='{SID}'"), session("", f"after='{SID}.1'")):
        assert parse(xml, sid=OTHER)
        with pytest.raises(SessionError, match="is this very session") as caught:
            parse(xml, sid=SID)
        assert (caught.value.line, bool(caught.value.column)) == (1, True)


NEEDY = "<group {attributes}><task cmd='tester/longwinstr.py'/><joblist {joblist}>{inputs}</joblist></group>"


@pytest.mark.parametrize(
    ("attributes", "joblist", "inputs"),
    [
        (f"after='{SID}'", "", "<input/>"),
        (f"after='{SID}'", "order='sequential'", "<input/>"),
        ("", "order='sequential'", "<input count='1'/><input/><input/>"),
    ],
)
def test_start_values_may_give_what_a_command_needs(attributes: str, joblist: str, inputs: str) -> None:
    group = NEEDY.format(attributes=attributes, joblist=joblist, inputs=inputs)
    assert parse(f"<session>{group}</session>")


@pytest.mark.parametrize("joblist", ["", "order='sequential'"])
def test_what_nothing_can_give_is_still_asked_for(joblist: str) -> None:
    group = NEEDY.format(attributes="", joblist=joblist, inputs="<input/>")
    with pytest.raises(SessionError, match="lacks 'count'"):
        parse(f"<session>{group}</session>")
