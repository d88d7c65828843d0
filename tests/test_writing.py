"""A session that is written reads back as it was: those of the documents, and whatever values there may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool.catalog.registry import Registry
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Axis, DataRef, Element, Group, JobList, Scan, Session, Task
from park_spool.sessions.writing import to_xml

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = Registry.load([ROOT / "services"])
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.xml"))


def read(xml: bytes) -> Session:
    """Read a session, less what says where in the file something stands."""
    found = parse_session(xml, REGISTRY, Limits(), files=frozenset({"film.ort"}))
    groups = (replace(group, data=tuple(replace(ref, line=0) for ref in group.data)) for group in found.groups)
    attributes = {name: value for name, value in found.attributes.items() if name not in ("user", "email", "priority")}
    return replace(found, groups=tuple(groups), attributes=attributes, warnings=())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_read_back_as_they_were(path: Path) -> None:
    first = read(path.read_bytes())
    assert read(to_xml(first)) == first


def test_it_is_laid_out_for_people() -> None:
    joblist = JobList("starts", 4, 48, (), Scan((Axis.ranging("seed", 1, 48, 48),), Element("input")))
    data = (DataRef("film", "film.ort", "ab" * 32),)
    group = Group("film in D2O", Task("reflectivity/fit", "reflectivity", "fit"), data, "Chisq", (joblist,))
    assert (
        to_xml(Session("wei", "", 3, {"name": "a < b"}, (group,))).decode()
        == f"""\
<?xml version='1.0' encoding='UTF-8'?>
<session name="a &lt; b" user="wei" email="" priority="3">
 <group name="film in D2O">
  <dataSet>
   <data name="film" href="film.ort" sha256="{"ab" * 32}"/>
  </dataSet>
  <reduce classname="Chisq"/>
  <task cmd="reflectivity/fit"/>
  <joblist name="starts" priority="4" cnt="48">
   <scan>
    <axis name="seed" start="1" stop="48" count="48" spacing="linear"/>
   </scan>
  </joblist>
 </group>
</session>
"""
    )


printable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cn", "Co", "Cf")), min_size=1, max_size=8
)
text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8) | st.just("a\tb\nc\rd")
names = st.from_regex(r"[a-z_][a-z0-9_.-]{0,6}", fullmatch=True).filter(lambda name: not name.startswith("xml"))
elements = st.recursive(
    st.builds(Element, names.filter(lambda tag: tag != "data"), st.dictionaries(names, text, max_size=2)),
    lambda inner: st.builds(Element, names.filter(lambda tag: tag != "data"), st.just({}), st.just(""), st.lists(inner, min_size=1, max_size=2).map(tuple)),
    max_leaves=3,
)  # fmt: skip
inputs = st.builds(
    Element,
    st.just("input"),
    st.dictionaries(names, text, max_size=3),
    st.just(""),
    st.lists(elements, max_size=2).map(tuple),
)
finite = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters=","),
    min_size=1,
    max_size=5,
)
axes = st.builds(Axis, names, st.lists(words, min_size=1, max_size=3).map(tuple)) | st.builds(
    Axis.ranging, names, finite, finite, st.integers(2, 5)
)
scans = st.builds(
    Scan, st.lists(axes, min_size=1, max_size=3, unique_by=lambda axis: axis.name).map(tuple), st.just(Element("input"))
)
joblists = st.builds(
    lambda name, priority, cnt, inputs: JobList(name, priority, cnt, tuple(inputs)),
    *(printable, st.integers(-100, 100), st.integers(1, 9), st.lists(inputs, min_size=1, max_size=3)),
) | st.builds(lambda name, scan, cnt: JobList(name, 0, cnt, (), scan), printable, scans, st.integers(1, 9))


@settings(max_examples=200, deadline=None)
@given(printable, st.lists(joblists, min_size=1, max_size=3), st.integers(-100, 100), text)
def test_whatever_it_holds_it_reads_back(name: str, lists: list[JobList], priority: int, email: str) -> None:
    task = Task("tester/echo", "tester", "echo", attributes={"cmd": "tester/echo"}, mode="function")
    group = Group(name, task, (DataRef("film", "film.ort"),), "Stats", tuple(lists), {"quantiles": "0.5"})
    session = Session("wei", email, priority, {"name": "ζ"}, (group,))
    assert read(to_xml(session)) == session


@pytest.mark.parametrize("value", ["", "two words", "a,b"])
def test_values_that_a_list_cannot_hold_are_refused(value: str) -> None:
    joblist = JobList("jobs", 0, 1, (), Scan((Axis("sample", (value,)),), Element("input")))
    session = Session("wei", "", 0, {}, (Group("g", Task("tester/echo", "tester", "echo"), (), None, (joblist,)),))
    with pytest.raises(ValueError, match=r"axis 'sample': .* cannot stand in a list of values"):
        to_xml(session)
