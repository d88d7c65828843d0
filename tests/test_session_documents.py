"""The examples, the documents and the schema say the same about sessions as the parser does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bad_sessions import CASES, TUTORIAL
from document_tables import rows
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from park_spool import tags
from park_spool.catalog.manifest import COMMAND_KEYS, DEFAULT_LIMITS, INPUT_KEYS
from park_spool.catalog.registry import Registry
from park_spool.limits import NAMES as LIMIT_NAMES
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.task_wishes import ATTRIBUTES
from park_spool.sources.source import MOST_NAMES

unhurried = settings(deadline=None)  # a slow machine is no failure
HERE = Path(__file__).parent.parent
EXAMPLES = sorted((HERE / "docs" / "examples").glob("*.xml"))
SCHEMA = etree.XMLSchema(etree.parse(HERE / "park_spool" / "session.xsd"))
XS = "{http://www.w3.org/2001/XMLSchema}"
(TASK_TYPE,) = etree.parse(HERE / "park_spool" / "session.xsd").findall(f"{XS}complexType[@name='task']")
REGISTRY = Registry.load([HERE / "services"])


def parse(xml: bytes | str) -> Session:
    text = xml.encode() if isinstance(xml, str) else xml
    return parse_session(text, REGISTRY, Limits(), functions_by_value=True)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_valid_and_admitted_without_warnings(path: Path) -> None:
    SCHEMA.assertValid(etree.parse(path))
    assert parse(path.read_bytes()).warnings == ()


def test_there_are_examples_of_everything() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        *("tutorial", "scan", "noop", "reflectivity", "priorities", "data", "chained", "sequential")
    }
    assert parse((HERE / "docs/examples/reflectivity.xml").read_bytes()).sizes() == {(1, 1): 48}


def test_the_documents_own_sessions_are_admitted() -> None:
    text = (HERE / "docs" / "session.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```xml\n(.*?)```", text, re.DOTALL)
    assert blocks[0].encode() == TUTORIAL
    for block in blocks:
        SCHEMA.assertValid(etree.fromstring(block.encode()))
        assert parse(block).warnings == ()


def test_the_documents_bounds_are_the_codes() -> None:
    text = (HERE / "docs" / "session.md").read_text(encoding="utf-8")
    limits = Limits()
    for bound in (limits.max_elements, limits.max_attributes, limits.max_jobs, limits.max_groups, limits.max_steps):
        assert f"{bound:,}" in text
    assert f"| {limits.max_patterns} |" in text and f"| {MOST_NAMES:,} |" in text
    assert f"{limits.max_bytes >> 20} MiB" in text
    assert f"{limits.max_depth} deep" in text


def test_the_manifest_in_the_documents_loads(tmp_path: Path) -> None:
    text = (HERE / "docs" / "services.md").read_text(encoding="utf-8")
    folder = tmp_path / "mine"
    folder.mkdir()
    for program in ("sum.py", "quick.py"):
        (folder / program).touch()
    (folder / "service.toml").write_text("\n".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)))
    registry = Registry.load([tmp_path])
    assert registry.problems == ()
    assert set(registry.service("mine").commands) == {"sum", "quick", "noop", "echo_xml", "files"}


def test_every_key_of_a_manifest_and_every_limit_has_its_row() -> None:
    text = (HERE / "docs" / "services.md").read_text(encoding="utf-8")
    keys = rows(text, re.escape("key of `[commands.NAME]`")).keys() | rows(text, "limit").keys()
    assert {key.partition(".")[0] for key in keys} == set(COMMAND_KEYS)
    assert rows(text, "key of an input").keys() == set(INPUT_KEYS)
    shown = {name: row[1].split()[0] for name, row in rows(text, "limit").items()}
    for name in LIMIT_NAMES:
        default = getattr(DEFAULT_LIMITS, name)
        words = {None: ("none", "the"), 64 << 20: ("64",), 1 << 30: ("1",)}.get(
            default, (f"{default:g}" if default is not None else "",)
        )
        assert shown[name] in words, name


def test_every_attribute_of_a_task_has_its_word() -> None:
    text = (HERE / "docs" / "session.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `<task>` \|.*$", text, re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)`", row)) == {"cmd", *ATTRIBUTES}
    assert f"{tags.MOST} characters" in text
    declared = {element.get("name") for element in TASK_TYPE.iter(f"{XS}attribute")}
    assert declared == {"cmd", *ATTRIBUTES, "value"}


def test_bad_sessions_that_a_schema_can_see_are_invalid_by_it() -> None:
    seen = {"unknown element", "no group", "negative cnt", "priority too high", "task without cmd", "short digest"}
    for bad in CASES:
        if bad.name in seen:
            assert not SCHEMA.validate(etree.fromstring(bad.xml)), bad.name


names = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
attributes = st.dictionaries(names, st.text("abc 0123<&'\"Å\n", max_size=6), max_size=3)
axes = st.builds(dict, values=st.sampled_from(["1", "a b", "1,2 , 3"])) | st.builds(
    dict,
    start=st.integers(1, 9).map(str) | st.floats(0.001, 9).map(repr),
    stop=st.just("10") | st.just("1e3"),
    count=st.integers(2, 1000).map(str),
    spacing=st.sampled_from(["linear", "log"]),
)


def element(tag: str, given: dict[str, str], *children: etree._Element) -> etree._Element:
    made = etree.Element(tag, {key: " ".join(value.split("\n")) for key, value in given.items()})
    made.extend(children)
    return made


wishes = st.fixed_dictionaries(
    {},
    optional={
        "nodes": st.sampled_from(["n1", " N1.example.org,n2\t", ""]),
        "tags": st.sampled_from(["gpu big", "GPU"]),
        "timeout": st.sampled_from(["10", " 0.5", "1e3", ".5", "+7."]),
        "memory": st.sampled_from(["1000", "1.5 GB", " 2gib ", "7MiB", "9 b"]),
        "nice": st.integers(0, 19).map(str),
        "open_files": st.integers(8, 1 << 20).map(str),
    },
)


@st.composite
def accepted(draw: st.DrawFn) -> bytes:
    """Draw a session that must be admitted, with strange attributes and free order."""
    scan = element("scan", {}, element("axis", draw(axes) | {"name": "axis_one"}))
    inputs = [element("input", draw(attributes), element("layer", draw(attributes))) for _ in range(2)]
    first = element("joblist", {"cnt": draw(st.integers(1, 9).map(str))}, *inputs)
    second = element("joblist", {"priority": draw(st.integers(-100, 100).map(str))}, scan)
    data = element("data", {"name": "film", "href": "package:refnx/x"})
    parts = [
        element("dataSet", {}, *draw(st.sampled_from([(), (data,)]))),
        element("task", {"cmd": "tester/noop", "extra": "1"} | draw(wishes), element("bufsize", {"value": "9"})),
        first,
        second,
    ]
    group = element("group", {"colour": "red"}, *draw(st.permutations(parts)))
    return bytes(etree.tostring(element("session", draw(attributes) | {"user": "a"}, group)))


@unhurried
@given(accepted())
def test_what_is_admitted_is_valid_by_the_schema(xml: bytes) -> None:
    assert parse(xml).groups[0].task.command == "noop"
    SCHEMA.assertValid(etree.fromstring(xml))
