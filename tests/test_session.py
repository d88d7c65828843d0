"""Sessions are values: JSON there and back, inputs in constant time, scans that are never written out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import DataRef, Element, Group, JobList, Session, Task, input_text
from park_spool.sessions.xml_tree import Limits, parse_tree

unhurried = settings(deadline=None)  # a slow machine is no failure
words = st.text(max_size=8)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
# What XML can say: no control characters but tab, line feed and carriage return, no surrogates.
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r"),
    max_size=12,
).filter(lambda text: text == "" or text.strip() != "")
elements = st.recursive(
    st.builds(Element, names, st.dictionaries(names, xml_text, max_size=3), xml_text),
    lambda children: st.builds(
        Element,
        names,
        st.dictionaries(names, xml_text, max_size=3),
        xml_text,
        st.lists(children, max_size=3).map(tuple),
    ),
    max_leaves=6,
)
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
axes = st.builds(Axis, names, st.lists(words, min_size=1, max_size=4).map(tuple)) | st.builds(
    Axis.ranging, names, numbers, numbers, st.integers(1, 10**8), st.sampled_from(["linear", "log"])
)
scans = st.builds(Scan, st.lists(axes, min_size=1, max_size=3).map(tuple), elements)
joblists = st.builds(
    JobList,
    words,
    st.integers(-100, 100),
    st.integers(1, 10**8),
    st.lists(elements, max_size=2).map(tuple),
    st.none() | scans,
)
tasks = st.builds(
    Task,
    words,
    names,
    names,
    st.none() | names,
    st.none() | st.integers(1, 4096),
    st.dictionaries(names, words, max_size=2),
    st.lists(elements, max_size=2).map(tuple),
)
refs = st.builds(DataRef, names, words, st.none() | words, st.none() | words, st.integers(0, 99))
groups = st.builds(
    Group,
    words,
    tasks,
    st.lists(refs, max_size=2).map(tuple),
    st.none() | names,
    st.lists(joblists, max_size=2).map(tuple),
)
sessions = st.builds(
    Session,
    words,
    words,
    st.integers(-100, 100),
    st.dictionaries(names, words, max_size=2),
    st.lists(groups, max_size=2).map(tuple),
    st.lists(words, max_size=2).map(tuple),
)


@unhurried
@given(sessions)
def test_a_session_survives_json(session: Session) -> None:
    assert Session.from_json(json.loads(json.dumps(session.to_json()))) == session


@unhurried
@given(elements)
def test_an_input_survives_being_read_by_an_executable(element: Element) -> None:
    assert parse_tree(input_text(element).encode(), Limits()).element() == element


@unhurried
@given(elements)
def test_an_input_is_one_line_but_for_its_text(element: Element) -> None:
    without_text = Element(element.tag, element.attributes)
    assert "\n" not in input_text(without_text)
    assert "\r" not in input_text(element)


def test_inputs_are_repeated_in_order() -> None:
    first, second = Element("input", {"n": "1"}), Element("input", {"n": "2"})
    joblist = JobList("starts", 0, 5, (first, second))
    assert [joblist.input(job) for job in range(1, 6)] == [first, second, first, second, first]


@pytest.mark.parametrize("job", [0, -1, 6])
def test_there_is_no_job_outside(job: int) -> None:
    with pytest.raises(IndexError, match="jobs 1 to 5"):
        JobList("starts", 0, 5, (Element("input"),)).input(job)


def test_a_scan_beyond_all_memory_is_as_cheap_as_a_small_one() -> None:
    axis = [Axis.ranging(name, 1, 10**6, 10**6) for name in "xyz"]
    joblist = JobList("all", 0, 10**18, (), Scan(tuple(axis), Element("input", {"seed": "7"})))
    assert joblist.input(1).attributes == {"seed": "7", "x": "1", "y": "1", "z": "1"}
    assert joblist.input(10**6 + 1).attributes == {"seed": "7", "x": "1", "y": "2", "z": "1"}
    assert joblist.input(10**18).attributes == {"seed": "7", "x": "1000000", "y": "1000000", "z": "1000000"}
    assert len(json.dumps(joblist.to_json())) < 1000


def test_a_scan_repeats_its_points_up_to_its_size() -> None:
    joblist = JobList("again", 0, 5, (), Scan((Axis("n", ("a", "b")),), Element("input")))
    assert [joblist.input(job).attributes["n"] for job in range(1, 6)] == ["a", "b", "a", "b", "a"]


@unhurried
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_points_are_in_row_major_order(sizes: list[int], data: st.DataObject) -> None:
    scan = Scan(tuple(Axis.ranging(f"a{i}", 0, n - 1, n) for i, n in enumerate(sizes)), Element("input"))
    place = [data.draw(st.integers(0, n - 1)) for n in sizes]
    index = 0
    for n, at in zip(sizes, place, strict=True):
        index = index * n + at
    assert list(scan.point(index).attributes.values()) == [str(at) for at in place]


@unhurried
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 1000), st.data())
def test_a_range_ends_where_it_says_and_stays_between(
    start: float, stop: float, count: int, data: st.DataObject
) -> None:
    axis = Axis.ranging("x", start, stop, count)
    assert float(axis.value(0)) == pytest.approx(start, rel=1e-14)
    assert float(axis.value(count - 1)) == pytest.approx(stop, rel=1e-14)
    between = float(axis.value(data.draw(st.integers(0, count - 1))))
    slack = 1e-14 * max(abs(start), abs(stop))
    assert min(start, stop) - slack <= between <= max(start, stop) + slack


@unhurried
@given(st.integers(-(10**30), 10**30), st.integers(-(10**20), 10**20), st.integers(2, 50))
def test_whole_numbers_stay_exact(start: int, step: int, count: int) -> None:
    axis = Axis.ranging("n", start, start + step * (count - 1), count)
    assert axis.is_whole
    assert [axis.value(i) for i in range(count)] == [str(start + step * i) for i in range(count)]


def test_a_logarithmic_axis_has_equal_ratios() -> None:
    axis = Axis.ranging("x", -0.001, -1, 4, "log")
    assert [axis.value(i) for i in range(4)] == ["-0.001", "-0.01", "-0.1", "-1"]
    assert not axis.is_whole


def test_sizes_are_counted_from_one() -> None:
    task = Task("c", "s", "c")
    one = Group("a", task, joblists=(JobList("x", 0, 4, (Element("input"),)), JobList("y", 0, 2)))
    two = Group("b", task, joblists=(JobList("z", 0, 9),))
    assert Session("", "", 0, {}, (one, two)).sizes() == {(1, 1): 4, (1, 2): 2, (2, 1): 9}


def test_a_later_format_is_refused_in_words() -> None:
    shown = Session("", "", 0).to_json() | {"format": 2}
    with pytest.raises(ValueError, match="format 2, this version reads 1"):
        Session.from_json(shown)


def test_values_import_no_parser_and_no_disk() -> None:
    source = (Path(__file__).parent.parent / "park_spool" / "sessions" / "session.py").read_text()
    assert "pathlib" not in source
    assert "defusedxml" not in source
