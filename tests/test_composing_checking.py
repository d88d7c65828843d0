"""What is said of a session before it is sent is what park-spoold would say of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_sessions import CASES, BadSession

from park_spool import config
from park_spool.composing.checking import SHOWN_LINES, Finding, check_for, check_text, listing
from park_spool.config import Config
from park_spool.submit import Parcel

FIT = """<session>
 <group name='film' wrong='1'>
  <dataSet><data name='film' href='film.ort'/></dataSet>
  <task cmd='reflectivity/fit'/>
  <joblist cnt='3'><input/></joblist>
 </group>
</session>
"""


@pytest.fixture
def site(tmp_path: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    return config.load(tmp_path / "spool")


def test_a_session_that_would_be_admitted_tells_what_it_would_run(site: Config) -> None:
    found = check_text(site, FIT.encode(), "wei", frozenset({"film.ort"}))
    assert found.is_fine
    assert [(one.line, one.rejects) for one in found.findings] == [(2, False)]
    assert "unknown attribute 'wrong'" in found.findings[0].sentence
    (group,) = found.groups
    assert (group.name, group.cmd, group.jobs, group.data, found.jobs) == (
        "film",
        "reflectivity/fit",
        3,
        ("film.ort",),
        3,
    )


def test_a_file_that_does_not_go_along_is_missed(site: Config) -> None:
    found = check_text(site, FIT.encode(), "wei")
    assert not found.is_fine
    assert (found.findings[0].line, found.findings[0].rejects) == (3, True)
    assert "film.ort" in found.findings[0].sentence


def test_a_session_of_calls_is_for_programs(site: Config) -> None:
    xml = b"<session><group><task cmd='python/call'/><joblist><calls/></joblist></group></session>"
    assert "only the Python program" in check_text(site, xml, "wei").findings[0].sentence


def test_a_zip_is_checked_too(site: Config, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"no zip at all")
    found = check_for(site, Parcel(path, "x.zip", None), "wei")
    assert "not a zip" in found.findings[0].sentence


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_what_is_rejected_is_found_at_its_line(site: Config, bad: BadSession) -> None:
    found = check_text(site, bad.xml, "wei")
    assert not found.is_fine
    assert found.findings[0].line == bad.line
    assert [word for word in bad.words if word not in f"{found.findings[0].sentence}"] == []


def test_the_listing_marks_the_lines() -> None:
    findings = (Finding("odd", False, 2, 1), Finding("wrong", True, 2, 5), Finding("nowhere", True))
    assert [line.faults for line in listing("a\r\nb\u2028c\rd", findings)] == [(), (1, 2), ()]


def test_of_a_long_text_the_lines_about_the_fault_are_listed() -> None:
    text = "\n".join(map(str, range(1, 10_001)))
    lines = listing(text, (Finding("wrong", True, 9000, 1),))
    assert len(lines) == SHOWN_LINES
    assert [line.text for line in lines if line.faults] == ["9000"]
