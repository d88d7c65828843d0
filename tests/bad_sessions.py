"""Broken sessions, each with what its rejection must say: for the parser's tests and for the whole line's.

Owns: `CASES`, made of the tutorial's session by one change each, and `truncations()`, the tutorial cut at
every tag. Assumes: the services and reducers that come along, a session file alone, no data roots.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

TUTORIAL = (Path(__file__).parent.parent / "docs" / "examples" / "tutorial.xml").read_bytes()


class BadSession(NamedTuple):
    """One broken session: words that the reason holds, the line it names, and whether it is malformed XML."""

    name: str
    xml: bytes
    words: tuple[str, ...]
    line: int | None
    is_malformed: bool = False


def edited(old: str, new: str, encoding: str = "utf-8") -> bytes:
    """Give the tutorial's session with one change."""
    before = old.encode()
    assert TUTORIAL.count(before) == 1, old
    return TUTORIAL.replace(before, new.encode(encoding))


def with_scan(scan: str) -> bytes:
    """Give the tutorial's session with a scan in the place of its input, in line 12."""
    return edited("<input count='24'></input>", f"<scan>{scan}</scan>")


def with_data(data: str) -> bytes:
    """Give the tutorial's session with something in its dataSet, in line 4."""
    return edited("<dataSet></dataSet>", f"<dataSet>{data}</dataSet>")


def truncations() -> list[BadSession]:
    """Cut the tutorial's session before, within and behind every tag, so that it never is whole."""
    cuts: list[BadSession] = []
    last = TUTORIAL.rindex(b">")
    for match in re.finditer(rb"<[^>]*>", TUTORIAL):
        for cut in (match.start(), match.start() + len(match[0]) // 2, match.end()):
            if cut <= last:
                line = TUTORIAL[:cut].count(b"\n") + 1
                words = ("the file ends",) if cut > TUTORIAL.index(b"<session") else ()
                cuts.append(BadSession(f"cut at byte {cut}, line {line}", TUTORIAL[:cut], words, None, True))
    return cuts


Bad = BadSession
BOMB = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 10))
INPUT = "<input count='24'></input>"
TASK = "<task cmd='longwinstr.py'>"
HOME = "/home/wwchen/dansesrc/park/services/tester"
CWD = "/home/wwchen/dansesrc/park/servers/tester"
DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>\n"


def dtd(text: str) -> bytes:
    """Give the tutorial's session with a document type in line 2."""
    return edited(DECLARATION, f"{DECLARATION}<!DOCTYPE session {text}>\n")


NOT_XML = (
    Bad("empty file", b"", ("ends", "<session"), 1, True),
    Bad("white space only", b" \n\n", ("ends", "<session"), 3, True),
    Bad("NUL bytes only", bytes(4096), ("NUL byte", "not yet whole"), 1, True),
    Bad("NUL byte inside", edited("'24'", "'2\0'"), ("NUL byte",), 12, True),
    Bad("plain text", b"please fit my data\n", ("begin", "expected <session"), 1, True),
    Bad("JSON", b'{"session": {}}\n', ("not well-formed", "'{'"), 1, True),
    Bad("zip", b"PK\x03\x04\x14\0\0\0\x08\0\xff\xfe", ("0xFF", "UTF-8"), 1, True),
    Bad("mismatched tag", edited("</group>", "</grup>"), ("<group>", "line 3"), 14, True),
    Bad("missing closing tag", edited("</task>", ""), ("<task>", "line 6"), 14, True),
    Bad("two sessions in one file", TUTORIAL + TUTORIAL[39:], ("more after", "one file holds one"), 16, True),
    Bad("same attribute twice", edited("cnt='4'", "cnt='4' cnt='5'"), ("attribute", "twice"), 11, True),
    Bad("unquoted attribute", edited("'24'", "24"), ("not well-formed", "'2'"), 12, True),
    Bad("ampersand", edited("'group1'", "'a & b'"), ("not well-formed", "&amp;"), 3, True),
    Bad("entity of HTML", edited("'group1'", "'a&nbsp;b'"), ("no such entity", "&amp;"), 3, True),
    Bad("blank before the declaration", b" " + TUTORIAL, ("<?xml", "beginning"), 1, True),
)
QUOTES = (
    Bad(
        "the tutorial slide's own quote",
        edited("user='wwchen'", "user='wwchen‘\n"),
        ("typographic quote ‘", "U+2018", "straight '"),
        2,
        True,
    ),
    Bad("double typographic quotes", edited("'24'", "“24”"), ("typographic quote “", "U+201C"), 12, True),
    Bad("single typographic quotes", edited("'job1'", "‘job1’"), ("typographic quote ‘",), 11, True),
    Bad("closing typographic quotes", edited("'job1'", "”job1”"), ("typographic quote ”",), 11, True),
    Bad("in the declaration", TUTORIAL.replace(b"'", "’".encode()), ("typographic quote ’",), 1, True),
    Bad(
        "Windows-1252 quotes", edited("'job1'", "‘job1’", "cp1252"), ("0x91", "UTF-8", "typographic quote ‘"), 11, True
    ),
)
ENCODINGS = (
    Bad(
        "declared UTF-8, is ISO-8859-1",
        edited("'group1'", "'Müller'", "latin-1"),
        ("0xFC", "not UTF-8", "save the file as UTF-8"),
        3,
        True,
    ),
    Bad("declared UTF-8, is UTF-16", TUTORIAL.decode().encode("utf-16"), ("encoding", "declares"), 1, True),
    Bad("unknown encoding", edited("UTF-8", "klingon"), ("klingon", "UTF-8"), 1),
    Bad(
        "unknown encoding in UTF-16",
        TUTORIAL.replace(b"UTF-8", b"klingon").decode().encode("utf-16"),
        ("klingon", "UTF-8"),
        1,
    ),
    Bad(
        "encoding far behind",
        edited("encoding", " " * 5000 + "encoding").replace(b"UTF-8", b"klingon"),
        ("klingon",),
        1,
    ),
    Bad("encoding of many bytes", edited("UTF-8", "gb18030"), ("gb18030", "UTF-8"), 1),
    Bad("encoding that is none", edited("UTF-8", "unicode_escape"), ("unicode_escape",), 1),
)
ATTACKS = (
    Bad("entity bomb", dtd(f"[<!ENTITY e0 'ha'>{BOMB}]"), ("<!DOCTYPE>", "entity", "take it out"), 2),
    Bad("external entity", dtd("[<!ENTITY x SYSTEM 'file:///etc/passwd'>]"), ("<!DOCTYPE>",), 2),
    Bad("parameter entity", dtd("[<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]"), ("<!DOCTYPE>",), 2),
    Bad("external DTD", dtd("SYSTEM 'http://127.0.0.1/session.dtd'"), ("<!DOCTYPE>",), 2),
    Bad("empty DTD", dtd("[]"), ("<!DOCTYPE>",), 2),
    Bad("10,000 deep", b"<session>" + b"<a>" * 10_000, ("more than 32", "nested"), 1),
    Bad("deep input", edited(INPUT, "<input>" + "<a>" * 10_000), ("more than 32", "nested"), 12),
    Bad(
        "a million attributes",
        b"<session " + b" ".join(b"a%d='1'" % i for i in range(1_000_000)) + b"/>",
        ("1,000,000 attributes", "more than 1,000"),
        1,
    ),
    Bad("too many elements", b"<session>" + b"<a/>" * 1_000_001, ("1,000,000 elements", "<scan>"), 1),
    Bad("too many bytes", b"<session>" + b" " * (32 << 20), ("33,554,441 bytes", "33,554,432"), None),
    Bad("a digest's worth of digits", edited("cnt='4'", f"cnt='{'9' * 5000}'"), ("whole number",), 11),
    Bad("many groups", b"<session>" + b"<group/>" * 1000 + b"</session>", ("1,000 <group>", "999"), 1),
)
STRUCTURE = (
    Bad("wrong root", b"<html><body/></html>", ("<html>", "expected <session>"), 1),
    Bad("root in capitals", b"<Session/>", ("<Session>", "expected <session>"), 1),
    Bad("no group", b"<session user='a'/>", ("no <group>", "nothing to run"), 1),
    Bad("unknown element", edited("<reduce ", "<reducer "), ("unknown element <reducer>", "<reduce>"), 5),
    Bad("job list beside the group", b"<session><joblist/></session>", ("<joblist>", "<group>"), 1),
    Bad("text between elements", edited("<reduce ", "Chisq <reduce "), ("'Chisq'", "<group>"), 3),
    Bad("no task", re.sub(rb" *<task.*</task>\n", b"", TUTORIAL, flags=re.S), ("no <task>",), 3),
    Bad("two tasks", edited("</task>", "</task><task cmd='noop'/>"), ("second <task>", "line 6"), 10),
    Bad("two dataSets", edited("<dataSet>", "<dataSet/><dataSet>"), ("second <dataSet>",), 4),
    Bad("two reducers", edited("<reduce ", "<reduce classname='Chisq'/><reduce "), ("second <reduce>",), 5),
    Bad("no job list", re.sub(rb" *<jobl.*list>\n", b"", TUTORIAL, flags=re.S), ("no <joblist>",), 3),
    Bad("empty job list", edited(INPUT, ""), ("neither <input> nor <scan>",), 11),
    Bad("task without cmd", edited(" cmd='longwinstr.py'", ""), ("'cmd'", "missing"), 6),
    Bad("home without value", edited(f" value='{HOME}'", ""), ("<home>", "'value'", "missing"), 8),
    Bad("reduce without classname", edited(" classname='Chisq'", ""), ("'classname'",), 5),
)
VALUES = (
    Bad("priority too high", edited("priority='4'", "priority='101'"), ("'101'", "-100 to 100"), 11),
    Bad("priority too low", edited("priority='0'", "priority='-101'"), ("'-101'", "-100 to 100"), 2),
    Bad("priority in words", edited("priority='4'", "priority='high'"), ("whole number", "'high'"), 11),
    Bad("priority with a point", edited("priority='4'", "priority='4.0'"), ("whole number", "'4.0'"), 11),
    Bad("negative cnt", edited("cnt='4'", "cnt='-4'"), ("cnt='-4'", "from 1"), 11),
    Bad("no jobs", edited("cnt='4'", "cnt='0'"), ("cnt='0'", "from 1"), 11),
    Bad("10^12 jobs", edited("cnt='4'", "cnt='1000000000000'"), ("1000000000000", "100,000,000"), 11),
    Bad("empty cnt", edited("cnt='4'", "cnt=''"), ("'cnt'", "empty"), 11),
    Bad("digits of another alphabet", edited("cnt='4'", "cnt='٤'"), ("whole number",), 11),
    Bad("underscored number", edited("cnt='4'", "cnt='1_0'"), ("whole number", "'1_0'"), 11),
    Bad("bufsize in words", edited("'3000'", "'3k'"), ("value of <bufsize>", "'3k'"), 7),
    Bad("bufsize 0", edited("'3000'", "'0'"), ("<bufsize>", "from 1"), 7),
    Bad("name of a thousand letters", edited("'group1'", f"'{'g' * 1000}'"), ("name", "200"), 3),
)
NAMES = (
    Bad("unknown service", edited(HOME, "/a/services/testr"), ("<home>", "no service 'testr'", "tester"), 8),
    Bad("unknown working folder", edited(CWD, "/tmp"), ("<cwd>", "'tmp'", "empty folder"), 9),
    Bad("unknown command", edited(TASK, "<task cmd='longwin'>"), ("'longwin'", "longwinstr.py"), 6),
    Bad("two services", edited(TASK, "<task cmd='reflectivity/fit'>"), ("'tester'", "which"), 8),
    Bad("unknown reducer", edited("'Chisq'", "'Chisk'"), ("no reducer 'Chisk'", "Chisq"), 5),
    Bad("reducer as a path", edited("'Chisq'", "'../../etc/passwd'"), ("no reducer", "Chisq"), 5),
    Bad("cmd climbs", edited(TASK, "<task cmd='../../../bin/sh'>"), ("'..'",), 6),
    Bad("cmd climbs with backslashes", edited(TASK, "<task cmd='..\\sh'>"), ("'..'",), 6),
    Bad("absolute cmd", edited(TASK, "<task cmd='/bin/sh'>"), ("'/bin/sh'", "registered"), 6),
    Bad("cmd with arguments", edited(TASK, "<task cmd='rm -rf x'>"), ("no command 'rm -rf x'",), 6),
    Bad("cmd too deep", edited(TASK, "<task cmd='a/b/c'>"), ("service/command",), 6),
    Bad("home climbs", edited(HOME, "/srv/services/tester/.."), ("'..'",), 8),
    Bad("home is nothing", edited(HOME, "///"), ("names no service",), 8),
    Bad("reducers are no service", edited(HOME, "/a/services/reduce"), ("no service 'reduce'",), 8),
)
INPUTS = (
    Bad("input below its range", edited("'24'", "'-24'"), ("'count'", "at least 0", "'-24'"), 12),
    Bad("input of a wrong type", edited("'24'", "'many'"), ("'count'", "whole number", "'many'"), 12),
    Bad("input missing", edited("count='24'", "cuont='24'"), ("lacks 'count'", "tester"), 12),
    Bad("second input wrong", edited(INPUT, f"{INPUT}\n<input count='x'/>"), ("'count'", "whole"), 13),
    Bad("not a number", edited("'24'", "'nan'"), ("whole number", "'nan'"), 12),
    Bad("scan without axes", with_scan(""), ("0 <axis>", "1 to 16"), 12),
    Bad("axis without name", with_scan("<axis values='1'/>"), ("<axis>", "'name'"), 12),
    Bad("axis without count", with_scan("<axis name='count' start='0' stop='4'/>"), ("'count'",), 12),
    Bad("axis of 0 points", with_scan("<axis name='count' start='0' stop='4' count='0'/>"), ("from 1",), 12),
    Bad("axis of both kinds", with_scan("<axis name='count' values='1' start='0'/>"), ("values", "'start'"), 12),
    Bad("empty values", with_scan("<axis name='count' values=' '/>"), ("'values'", "empty"), 12),
    Bad(
        "logarithm of 0",
        with_scan("<axis name='count' start='0' stop='4' count='5' spacing='log'/>"),
        ("'log'", "sign"),
        12,
    ),
    Bad(
        "unknown spacing",
        with_scan("<axis name='count' start='1' stop='4' count='4' spacing='cubic'/>"),
        ("'cubic'", "'linear' or 'log'"),
        12,
    ),
    Bad(
        "infinite axis",
        with_scan("<axis name='count' start='0' stop='1e999' count='4'/>"),
        ("finite number", "'1e999'"),
        12,
    ),
    Bad(
        "axis out of range",
        with_scan("<axis name='count' start='4' stop='-4' count='9'/>"),
        ("'count'", "at least 0", "'-4'"),
        12,
    ),
    Bad(
        "axis between whole numbers",
        with_scan("<axis name='count' start='0' stop='4' count='4'/>"),
        ("'count'", "whole numbers"),
        12,
    ),
    Bad("value of a wrong type", with_scan("<axis name='count' values='1 two'/>"), ("'two'",), 12),
    Bad(
        "same axis twice",
        with_scan("<axis name='count' values='1'/>\n<axis name='count' values='1'/>"),
        ("axis 'count'", "taken"),
        13,
    ),
    Bad("axis no attribute can have", with_scan("<axis name='a b' values='1'/>"), ("'a b'",), 12),
    Bad("scan does not give a required input", with_scan("<axis name='n' values='1'/>"), ("<scan>", "'count'"), 11),
    Bad(
        "10^12 points",
        with_scan(
            "<axis name='count' start='1' stop='1000000' count='1000000'/>"
            "<axis name='n' start='1' stop='1000000' count='1000000'/>"
        ),
        ("1,000,000,000,000 points", "100,000,000"),
        11,
    ),
    Bad(
        "two inputs beside a scan",
        edited(INPUT, f"<scan><axis name='n' values='1'/></scan>{INPUT}\n{INPUT}"),
        ("second <input>", "<scan>"),
        13,
    ),
    Bad(
        "too many jobs together",
        edited(" </group>", "<joblist cnt='99999999'><input count='1'/></joblist></group>"),
        ("100,000,003 jobs", "100,000,000"),
        2,
    ),
)
DATA = (
    Bad("data without name", with_data("<data href='package:a/b'/>"), ("<data>", "'name'"), 4),
    Bad("data without href", with_data("<data name='d'/>"), ("<data>", "'href'"), 4),
    Bad(
        "same data set twice",
        with_data("<data name='d' href='package:a/b'/>\n<data name='d' href='package:a/c'/>"),
        ("data set 'd' again", "line 4"),
        5,
    ),
    Bad("href climbs", with_data("<data name='d' href='../../etc/passwd'/>"), ("'..'",), 4),
    Bad("package climbs", with_data("<data name='d' href='package:refnx/../../x'/>"), ("'..'",), 4),
    Bad("package without path", with_data("<data name='d' href='package:refnx'/>"), ("package:NAME",), 4),
    Bad("absolute href", with_data("<data name='d' href='/etc/passwd'/>"), ("allowed", "data_roots"), 4),
    Bad("file that did not come", with_data("<data name='d' href='a.txt'/>"), ("alone", "folder"), 4),
    Bad("unknown source", with_data("<data name='d' href='ftp://a/b'/>"), ("'ftp://a/b'", "package:"), 4),
    Bad("short digest", with_data("<data name='d' href='package:a/b' sha256='12'/>"), ("64 hexadecimal",), 4),
    Bad("unknown way", with_data("<data name='d' href='package:a/b' via='ftp'/>"), ("'ftp'", "'direct'"), 4),
    Bad("file in the dataSet", with_data("<file name='d'/>"), ("unknown element <file>", "<data>"), 4),
    Bad(
        "data of an input",
        edited(INPUT, "<input count='4'>\n<data name='d' href='/etc/passwd'/></input>"),
        ("allowed",),
        13,
    ),
)


def with_task(attributes: str) -> bytes:
    """Give the tutorial's session with more attributes of its task, in line 6."""
    return edited(TASK, f"<task cmd='longwinstr.py' {attributes}>")


MANY = " ".join(f"node{i}" for i in range(40))
WISHES = (
    Bad("timeout in words", with_task("timeout='10 s'"), ("timeout", "finite number", "'10 s'"), 6),
    Bad("no timeout", with_task("timeout='0'"), ("timeout must be 0.001 to", "'0'"), 6),
    Bad("endless timeout", with_task("timeout='inf'"), ("timeout", "finite number"), 6),
    Bad("negative cpu", with_task("cpu='-1'"), ("cpu must be", "'-1'"), 6),
    Bad("memory in elephants", with_task("memory='2 elephants'"), ("memory", "'512 MB'", "'2 elephants'"), 6),
    Bad("empty memory", with_task("memory=''"), ("memory", "'512 MB'"), 6),
    Bad("nice below 0", with_task("nice='-5'"), ("nice must be 0 to 19", "'-5'"), 6),
    Bad("half a file", with_task("open_files='64.5'"), ("open_files", "whole number"), 6),
    Bad("node as a path", with_task("nodes='n1 ../n2'"), ("nodes", "holds '../n2'", "letters"), 6),
    Bad("node with a plus", with_task("nodes='n1+n2'"), ("'n1+n2'",), 6),
    Bad("tag in other letters", with_task("tags='größe'"), ("tags", "'größe'"), 6),
    Bad("tag of short commands", with_task("tags='gpu command'"), ("'command'", "short commands"), 6),
    Bad("too many nodes", with_task(f"nodes='{MANY}'"), ("characters together", "at most 180", "--tag"), 6),
    Bad(
        "option as an input",
        b"<session><group>\n<task cmd='node/ls'/>\n<joblist>\n<input service='--help'/></joblist></group></session>",
        ("'service'", "'-'", "option"),
        4,
    ),
)


def after(text: str, more: str = "") -> bytes:
    """Give the tutorial's session with a group, in line 3, that waits for something."""
    return edited("<group name='group1'>", f"<group name='group1' after='{text}'>{more}")


def waiting(text: str) -> bytes:
    """Give the tutorial's session so that it waits for something, in line 2."""
    return edited(" type='7'", f" type='7' after='{text}'")


SID = "20261123-025532-k3j9"
ORDER = (
    Bad("after nothing", waiting(""), ("after='' of <session>", "whole id", "SID.2"), 2),
    Bad("after the beginning of an id", waiting("20261123-02"), ("'20261123-02'", "whole id of a session"), 2),
    Bad("session after a group of its own", waiting("1"), ("after='1' of <session>", "whole id"), 2),
    Bad("after an id in capitals", waiting(SID.upper()), ("whole id",), 2),
    Bad("after group 0 of a session", after(f"{SID}.0"), ("after=", "SID.2"), 3),
    Bad("after a job of a session", after(f"{SID}.1.1"), ("after=", "SID.2"), 3),
    Bad("after a group by its name", after("group1"), ("'group1'", "number of an earlier group"), 3),
    Bad("after itself", after("1"), ("after='1' of <group>", "this very group", "earlier"), 3),
    Bad("after a later group", after("2"), ("after='2' of <group>", "later than group 1", "earlier"), 3),
    Bad("unknown order", edited("cnt='4'", "cnt='4' order='random'"), ("'random'", "'sequential'"), 11),
    Bad("order in capitals", edited("cnt='4'", "cnt='4' order='Sequential'"), ("'sequential'", "any order"), 11),
    Bad(
        "too many steps",
        edited("cnt='4'", "cnt='10001' order='sequential'"),
        ("sequential <joblist>", "10,001 jobs", "10,000"),
        11,
    ),
    Bad(
        "first step without what it needs",
        edited("cnt='4'>", "order='sequential'><input/>"),
        ("lacks 'count'",),
        11,
    ),
)

CASES = (*NOT_XML, *QUOTES, *ENCODINGS, *ATTACKS, *STRUCTURE, *VALUES, *NAMES, *INPUTS, *DATA, *WISHES, *ORDER)
