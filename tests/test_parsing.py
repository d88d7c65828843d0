"""Good sessions are understood as they are meant, and nothing makes the parser crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_sessions import TUTORIAL, edited
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool.catalog.registry import Registry
from park_spool.errors import MalformedXml, SessionError
from park_spool.places import Places
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.scan import Axis
from park_spool.sessions.session import DataRef, Element, JobList, Session, Task

unhurried = settings(deadline=None)  # a slow machine is no failure
HERE = Path(__file__).parent.parent
REGISTRY = Registry.load([HERE / "services"])


def parse(xml: bytes | str, **more: object) -> Session:
    data = xml.encode() if isinstance(xml, str) else xml
    return parse_session(data, REGISTRY, Limits(), **more)  # type: ignore[arg-type]


def session(group: str, attributes: str = "") -> str:
    return f"<session {attributes}><group>{group}</group></session>"


def joblist(content: str, attributes: str = "") -> JobList:
    """Read one job list that runs a function without declared inputs."""
    found = parse(session(f"<task cmd='tester/noop'/><joblist {attributes}>{content}</joblist>"))
    return found.groups[0].joblists[0]


def task(inside: str, cmd: str = "longwinstr.py") -> Task:
    content = f"<task cmd='{cmd}'>{inside}</task><joblist><input count='4'/></joblist>"
    return parse(session(content)).groups[0].task


def test_the_tutorials_session_as_it_stands() -> None:
    found = parse(TUTORIAL)
    assert (found.user, found.email, found.priority) == ("wwchen", "wwchen@example.org", 0)
    assert (found.attributes["version"], found.attributes["type"]) == ("2.0.1", "7")
    assert (found.sizes(), found.warnings) == ({(1, 1): 4}, ())
    (group,) = found.groups
    assert (group.name, group.reduce, group.data) == ("group1", "Chisq", ())
    assert (group.task.service, group.task.command) == ("tester", "longwinstr.py")
    assert (group.task.cwd, group.task.bufsize) == ("tester", 3000)
    assert [element.tag for element in group.task.parameters] == ["bufsize", "home", "cwd"]
    (jobs,) = group.joblists
    assert jobs == JobList("job1", 4, 4, (Element("input", {"count": "24"}),), None)


@pytest.mark.parametrize("name", ["byte order mark", "CRLF", "CR", "UTF-16", "UTF-16 big", "ISO-8859-1", "comments"])
def test_any_honest_encoding_and_line_end_is_fine(name: str) -> None:
    text = TUTORIAL.decode()
    same = {
        "byte order mark": b"\xef\xbb\xbf" + TUTORIAL,
        "CRLF": TUTORIAL.replace(b"\n", b"\r\n"),
        "CR": TUTORIAL.replace(b"\n", b"\r"),
        "UTF-16": text.replace("UTF-8", "UTF-16").encode("utf-16"),
        "UTF-16 big": ("\ufeff" + text.replace("UTF-8", "UTF-16")).encode("utf-16-be"),
        "ISO-8859-1": text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        "comments": text.replace("<task", "<!-- what -->\n<?page up?><task").encode(),
    }
    assert parse(same[name]) == parse(TUTORIAL)


def test_umlauts_arrive_from_every_encoding() -> None:
    for encoding in ("UTF-8", "UTF-16", "ISO-8859-1", "windows-1252"):
        xml = TUTORIAL.decode().replace("UTF-8", encoding).replace("'group1'", "'Müller'").encode(encoding)
        assert parse(xml).groups[0].name == "Müller"


def test_places_count_characters_not_bytes() -> None:
    xml = "<session user='Å'><group name='ÅÅ'><täsk/></group></session>"
    for data in (xml.encode(), b"\xef\xbb\xbf" + xml.encode()):
        with pytest.raises(SessionError) as caught:
            parse(data)
        assert (caught.value.line, caught.value.column) == (1, xml.index("<täsk") + 1)


def test_a_document_type_is_refused_where_it_begins_not_when_it_is_read() -> None:
    with pytest.raises(SessionError) as caught:
        parse("<!DOCTYPE session [ <!ENTITY a 'never closed")
    assert not isinstance(caught.value, MalformedXml)
    assert "take it out" in str(caught.value)


def test_the_reader_has_every_safe_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    import park_spool.sessions.xml_tree as xml_tree

    made = []

    class Watched(xml_tree.DefusedExpatParser):  # type: ignore[misc]
        def __init__(self, *args: object, **settings: object) -> None:
            super().__init__(*args, **settings)
            made.append(self)

    monkeypatch.setattr(xml_tree, "DefusedExpatParser", Watched)
    parse(TUTORIAL)
    assert [(p.forbid_dtd, p.forbid_entities, p.forbid_external) for p in made] == [(True, True, True)]


def test_built_in_entities_and_cdata_are_text() -> None:
    jobs = joblist("<input a='&lt;&#65;&gt;'>x &amp; <![CDATA[<y>]]></input>")
    assert jobs.input(1) == Element("input", {"a": "<A>"}, "x & <y>")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_bytes=100), "more than the 100 allowed"),
        (Limits(max_depth=3), "more than 3"),
        (Limits(max_elements=5), "more than 5 elements"),
        (Limits(max_attributes=4), "5 attributes, more than 4"),
        (Limits(max_jobs=3), "from 1 to 3"),
        (Limits(max_groups=0), "at most 0"),
        (Limits(max_joblists=0), "at most 0"),
    ],
)
def test_every_limit_bounds(limits: Limits, words: str) -> None:
    with pytest.raises(SessionError) as caught:
        parse_session(TUTORIAL, REGISTRY, limits)
    assert words in str(caught.value)
    assert not isinstance(caught.value, MalformedXml)


def test_an_unknown_attribute_is_kept_and_warned_about() -> None:
    found = parse(edited("cnt='4'", "cnt='4' after='job0'").replace(b"priority='0'", b"priorty='0'"))
    assert found.warnings == (
        "line 2, column 1: unknown attribute 'priorty' of <session> kept, without effect; did you mean 'priority'?",
        "line 11, column 3: unknown attribute 'after' of <joblist> kept, without effect; did you mean 'name'?",
    )
    assert found.attributes["priorty"] == "0"


def test_an_attribute_that_the_service_does_not_describe_is_warned_about_once() -> None:
    found = parse(edited("<input count='24'></input>", "<input count='1' n='2'/><input count='1' n='3'/>"))
    (warning,) = found.warnings
    assert "input 'n' is not described by tester/longwinstr.py" in warning
    assert found.groups[0].joblists[0].input(2).attributes["n"] == "3"


def test_the_options_of_a_reducer_are_those_that_its_class_lists() -> None:
    xml = edited("<reduce classname='Chisq'/>", "<reduce classname='Histogram' attribute='Rg' bin='3'/>")
    found = parse(xml)
    assert (found.groups[0].reduce, found.groups[0].reduce_options) == ("Histogram", {"attribute": "Rg"})
    assert Session.from_json(found.to_json()) == found
    (warning,) = found.warnings
    assert warning.endswith("unknown attribute 'bin' of <reduce> kept, without effect; did you mean 'bins'?")


def test_events_of_which_people_are_told_are_checked() -> None:
    found = parse(session("<task cmd='tester/noop'/><joblist><input/></joblist>", "notify='started, dune'"))
    (warning,) = found.warnings
    assert warning.endswith("notify names 'dune'; expected some of started, done, failed, cancelled")


def test_warnings_are_bounded() -> None:
    inside = "".join(f"<joblist wrong{i}='1'><input/></joblist>" for i in range(60))
    warnings = parse(session(f"<task cmd='tester/noop'/>{inside}")).warnings
    assert len(warnings) == 51
    assert warnings[-1] == "and 10 more warnings"


def test_what_belongs_to_xml_itself_is_no_matter() -> None:
    schema = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='session.xsd'"
    jobs = "<task cmd='tester/noop'/><joblist><input/></joblist>"
    assert parse(session(jobs, schema)).warnings == ()


def test_an_input_keeps_all_it_has() -> None:
    jobs = joblist("<input a='1' b=' two '>text<layer sld='2'><sub/>\n</layer></input>")
    layer = Element("layer", {"sld": "2"}, "", (Element("sub"),))
    assert jobs.input(1) == Element("input", {"a": "1", "b": " two "}, "text", (layer,))


@pytest.mark.parametrize(
    ("cmd", "inside"),
    [
        ("tester/longwinstr.py", ""),
        ("tester\\longwinstr.py", ""),
        ("./tester//longwinstr.py", ""),
        ("longwinstr.py", "<home value='/a/b/tester/'/>"),
        ("longwinstr.py", r"<home value='C:\park\services\tester\'/>"),
        ("longwinstr.py", "<home value='tester'/>"),
        ("longwinstr.py", "<cwd value='/park/servers/tester'/>"),
        ("longwinstr.py", ""),
        ("tester/longwinstr.py", "<home value='/home/wwchen/park/services'/>"),
        ("tester/longwinstr.py", "<home value='/home/wwchen/park/services/tester'/>"),
        ("longwinstr.py", "<home value='/a/tester'/><cwd value='/a/reflectivity'/>"),
    ],
)
def test_every_way_to_name_a_command(cmd: str, inside: str) -> None:
    found = task(inside, cmd)
    assert (found.service, found.command) == ("tester", "longwinstr.py")
    assert found.cmd == cmd


@pytest.mark.parametrize(
    ("inside", "cwd"),
    [("", None), ("<cwd value='/x/tester/'/>", "tester"), ("<cwd value='reflectivity'/>", "reflectivity")],
)
def test_cwd_names_the_folder_of_a_service(inside: str, cwd: str | None) -> None:
    assert task(inside, "tester/longwinstr.py").cwd == cwd


def wish(attributes: str, cmd: str = "tester/longwinstr.py") -> tuple[Task, tuple[str, ...]]:
    inside = "<input count='4'/>" if "longwin" in cmd else "<input/>"
    found = parse(session(f"<task cmd='{cmd}' {attributes}/><joblist>{inside}</joblist>"))
    return found.groups[0].task, found.warnings


def test_a_task_may_ask_for_nodes_and_tags() -> None:
    found, warnings = wish("nodes='N2.example.org, n1\tn2' tags='GPU big_memory'")
    assert (found.nodes, found.tags, warnings) == (("n2", "n1"), ("gpu", "big_memory"), ())
    assert (wish("nodes=' ' tags=''")[0].nodes, wish("")[0].tags) == ((), ())


def test_a_task_may_lower_limits() -> None:
    found, warnings = wish("timeout='10' memory='1.5 GB' cpu='2.5' open_files='64' nice='5' output='1KiB' kept='9'")
    assert warnings == ()
    assert found.limits == {
        "timeout": 10.0,
        "cpu": 2.5,
        "memory": 1_500_000_000,
        "output": 1024,
        "open_files": 64,
        "nice": 5,
        "kept": 9,
    }


def test_a_limit_above_the_manifests_is_warned_about() -> None:
    found, (first, second) = wish("timeout='7200' grace='60' nice='0'")
    assert found.limits == {"timeout": 7200.0, "grace": 60.0, "nice": 0}
    assert "timeout='7200' of <task> has no effect: tester/longwinstr.py sets 3600 s, which counts" in first
    assert "grace='60'" in second and "2 s" in second


def test_a_task_knows_its_commands_mode() -> None:
    modes = [wish("", cmd)[0].mode for cmd in ("tester/longwinstr.py", "tester/noop", "node/uptime")]
    assert modes == ["executable", "function", "command"]


def test_a_command_of_several_services_must_be_said_in_full(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        manifest = '[commands.run]\nmode = "function"\nfunction = "f:f"\n'
        (tmp_path / name / "service.toml").write_text(manifest)
    xml = session("<task cmd='run'/><joblist><input/></joblist>").encode()
    with pytest.raises(SessionError, match="cmd='a/run' or 'b/run'"):
        parse_session(xml, Registry.load([tmp_path]), Limits())


def test_counts_and_names_have_defaults() -> None:
    jobs = "<joblist><input/><input/></joblist><joblist cnt='3'><input/></joblist>"
    found = parse(session(f"<task cmd='tester/noop'/>{jobs}"))
    (group,) = found.groups
    assert (found.user, found.priority, group.name, group.reduce) == ("", 0, "group1", None)
    assert [(j.name, j.priority, j.size) for j in group.joblists] == [("joblist1", 0, 2), ("joblist2", 0, 3)]


def test_the_order_in_a_group_is_free() -> None:
    lines = ["<joblist><input/></joblist>", "<task cmd='tester/noop'/>", "<reduce classname='Chisq'/>", "<dataSet/>"]
    assert parse(session("".join(lines))) == parse(session("".join(reversed(lines))))


def test_a_scan_of_all_axes() -> None:
    jobs = joblist(
        "<scan><axis name='a' start='0' stop='1' count='3'/><axis name='b' values='x, y z'/>"
        "<axis name='c' start='1' stop='100' count='3' spacing='log'/></scan><input d='4'>text</input>"
    )
    assert (jobs.size, jobs.inputs) == (27, ())
    assert jobs.input(1) == Element("input", {"d": "4", "a": "0", "b": "x", "c": "1"}, "text")
    assert jobs.input(27) == Element("input", {"d": "4", "a": "1", "b": "z", "c": "100"}, "text")


def test_a_scan_of_a_hundred_million_points_costs_nothing() -> None:
    axes = "".join(f"<axis name='{name}' start='1' stop='10000' count='10000'/>" for name in "xy")
    jobs = joblist(f"<scan>{axes}</scan>")
    assert jobs.size == 10**8
    assert jobs.input(10**8).attributes == {"x": "10000", "y": "10000"}


def test_cnt_repeats_a_scan() -> None:
    jobs = joblist("<scan><axis name='seed' values='1 2'/></scan>", "cnt='3'")
    assert [jobs.input(job).attributes["seed"] for job in (1, 2, 3)] == ["1", "2", "1"]


@pytest.mark.parametrize("start", ["5", "5.0", "1e0", "+3", " 7 "])
def test_numbers_may_be_written_in_many_ways(start: str) -> None:
    jobs = joblist(f"<scan><axis name='x' start='{start}' stop='9' count='2'/></scan>")
    assert jobs.scan is not None
    assert jobs.scan.axes == (Axis.ranging("x", float(start), 9, 2),)


def test_data_of_a_group_and_of_an_input() -> None:
    data = "<dataSet>\n<data name='film' href='run7/film.txt' sha256='{}' via='direct'/></dataSet>".format("AB" * 32)
    jobs = "<joblist><input><data name='film' href='/shared/x.txt'/></input></joblist>"
    xml = session(f"{data}<task cmd='tester/noop'/>{jobs}")
    found = parse(xml, files=frozenset({"run7/film.txt"}), places=Places((Path("/shared"),)))
    assert found.groups[0].data == (DataRef("film", "run7/film.txt", "ab" * 32, "direct", 2),)
    own = found.groups[0].joblists[0].input(1).children[0]
    assert own == Element("data", {"name": "film", "href": "/shared/x.txt"})


def test_a_file_of_the_submission_is_looked_up_by_name() -> None:
    data = "<dataSet><data name='film' href='flim.txt'/></dataSet>"
    xml = session(f"{data}<task cmd='tester/noop'/><joblist><input/></joblist>")
    with pytest.raises(SessionError, match=r"files in it: film\.txt, session\.xml"):
        parse(xml, files=frozenset({"film.txt", "session.xml"}))


@unhurried
@given(st.binary(max_size=200), st.integers(0, len(TUTORIAL)), st.integers(0, 40))
def test_any_damage_is_admitted_or_rejected_but_never_crashes(noise: bytes, at: int, gap: int) -> None:
    for damaged in (noise, TUTORIAL[:at] + noise + TUTORIAL[at + gap :]):
        try:
            parse(damaged)
        except SessionError as error:
            assert str(error)
