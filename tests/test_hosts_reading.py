"""The hosts file: PARK's format as it stands, what may follow, and one sentence for each thing that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool.errors import HostsError
from park_spool.hosts.reading import KEYS, Host, choose, find, parse, read

ROOT = Path(__file__).resolve().parent.parent

# The slides of PARK's tutorial, with their broken line, and the names of the cluster they are about.
SLIDE = """#
# hosts configure file for park
# example for compufans.ncnr.nist.gov cluster:
# 4 nodes, each node with 2 cpus
#
# the format is similar to that of /ect/hosts:
# ip_address full_name alias_name[:port:number_of_cpus]
#
127.0.0.1
localhost.localdomain localhost:5300:2
#172.16.255.251 n4.ncnr.nist.gov n4:6500:2
#172.16.255.252 n3.ncnr.nist.gov n3:6300:2
"""


def test_the_example_of_parks_slides_is_read_as_it_stands() -> None:
    (host,) = parse(SLIDE)
    assert host == Host("127.0.0.1", "localhost.localdomain", "localhost", 5300, 2, line=9, is_here=True)


def test_its_commented_lines_are_hosts_once_they_are_none() -> None:
    hosts = parse(re.sub(r"^#(\d)", r"\1", SLIDE, flags=re.MULTILINE))
    assert [(host.alias, host.port, host.cpus, host.is_here) for host in hosts] == [
        ("localhost", 5300, 2, True),
        ("n4", 6500, 2, False),
        ("n3", 6300, 2, False),
    ]


def test_the_file_that_comes_along_is_read() -> None:
    assert [host.alias for host in read(ROOT / "hosts")] == ["localhost"]
    everything = re.sub(r"^#(\d)", r"\1", (ROOT / "hosts").read_text(), flags=re.MULTILINE)
    assert len(parse(everything)) > 4


def test_everything_that_a_line_may_say() -> None:
    text = (
        "10.0.0.1 gate.example.org gate user=anna\n"
        "10.0.0.4\tn4.example.org  N4::8 user=wei key=keys/id python='/opt/my python/bin/python' "
        "spool=/mnt/q/spool ssh_port=2222 tags=GPU,big via=gate # the large one\n"
    )
    gate, host = parse(text, folder=Path("/site"))
    assert host == Host(
        "10.0.0.4", "n4.example.org", "n4", None, 8, "wei", "/site/keys/id", "/opt/my python/bin/python", "/mnt/q/spool",
        2222, ("gpu", "big"), "gate", 2, gate,
    )  # fmt: skip
    assert host.spool_there(Path("/shared/spool")) == "/mnt/q/spool" and gate.spool_there(Path("/s")) == "/s"


def test_a_jump_host_needs_no_line() -> None:
    (host,) = parse("10.0.0.4 n4.example.org n4 via=anna@gate.example.org:2222 key=/k")
    assert host.jump == Host(
        "gate.example.org", "gate.example.org", host.via, user="anna", key="/k", ssh_port=2222, line=1
    )
    (six,) = parse("10.0.0.4 n4.example.org n4 via=[2001:db8::1]:22")
    assert six.jump and six.jump.address == "2001:db8::1"


def test_jump_hosts_may_be_behind_others() -> None:
    first, second, third = parse("10.0.0.3 c c via=b\n10.0.0.2 b b via=a\n10.0.0.1 a a")
    assert first.jump == second and second.jump == third and third.jump is None


@pytest.mark.parametrize(
    ("line", "is_here"),
    [
        ("127.0.0.1 localhost l", True),
        ("127.3.0.1 localhost l:5300:2 tags=gpu python=/p", True),
        ("::1 localhost l", True),
        ("localhost localhost l", True),
        ("127.0.0.1 localhost l user=anna", False),
        ("127.0.0.1 localhost l ssh_port=22", False),
        ("10.0.0.4 n4.example.org l", False),
    ],
)
def test_which_line_means_this_machine(line: str, is_here: bool) -> None:
    assert parse(line)[0].is_here is is_here


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.0.0.4 n4.example.org", "line 1: expected `ip_address full_name alias[:port[:cpus]]`, then key=value, got"),
        ("\n\n10.0.0.4\n10.0.0.5 n5 n5", "line 3: expected `ip_address full_name alias[:port[:cpus]]`, got an address alone"),
        ("10.0.0.4", "line 1: expected `ip_address full_name alias[:port[:cpus]]`, got an address alone"),
        ("10.0.0 .4 n4 n4", "'10.0.0 .4 n4' and then 'n4', which is no key=value"),
        ("n$4 n4.example.org n4", "line 1: expected an IP address, got 'n$4'"),
        ("10.0.0.4 n4/x n4", "expected a full name of letters"),
        ("10.0.0.4 n4 n4:66000", "expected a port from 1 to 65535, got '66000'"),
        ("10.0.0.4 n4 n4:6500:0", "expected a number of CPUs from 1 to 4096, got '0'"),
        ("10.0.0.4 n4 n4:6500:two", "expected a number of CPUs from 1 to 4096, got 'two'"),
        ("10.0.0.4 n4 n4:1:2:3", "expected alias[:port[:cpus]], got 'n4:1:2:3'"),
        ("10.0.0.4 n4 :1:2", "expected an alias of letters"),
        ("10.0.0.4 n4 command", "expected an alias of letters"),
        ("10.0.0.4 n4 n4 colour=red", "unknown key 'colour'; known are user, key, python, spool, ssh_port, tags, via"),
        ("10.0.0.4 n4 n4 user=a user=b", "expected user= once, got it twice"),
        ("10.0.0.4 n4 n4 user=", "expected something behind user=, got nothing"),
        ("10.0.0.4 n4 n4 user=-oProxyCommand=x", "expected user=NAME, got '-oProxyCommand=x'"),
        ("10.0.0.4 n4 n4 spool=shared/spool", "expected spool=/PATH, as that host sees it, got 'shared/spool'"),
        ("10.0.0.4 n4 n4 ssh_port=ssh", "expected a port from 1 to 65535, got 'ssh'"),
        ("10.0.0.4 n4 n4 tags=gpu,,big", "expected tags=WORD,WORD"),
        ("10.0.0.4 n4 n4 python=-c", "expected python=PROGRAM, got '-c'"),
        ("10.0.0.4 n4 n4 python='/opt/x", "line 1: expected a second quote, got none"),
        ("10.0.0.4 n4 n4 'python=a\tb'", "expected printable letters behind python="),
        ("10.0.0.4 n4 n4 via=gate", "line 1: via=gate: no line has this alias; a host without a line is written via=USER@gate"),
        ("10.0.0.4 n4 n4 via=a@b@c:d", "line 1: expected via=ALIAS or via=[USER@]HOST[:PORT], got 'a@b@c:d'"),
        ("10.0.0.4 n4 n4 via=a@b:99999", "line 1: expected a port from 1 to 65535 in via=, got '99999'"),
        ("1.1.1.1 a a via=b\n1.1.1.2 b b via=a", "line 1: expected via= to lead somewhere, got a circle: a via b via a"),
        ("1.1.1.1 a a\n\n1.1.1.2 b A", "line 3: the alias 'a' is that of line 1, too: expected another"),
    ],
)  # fmt: skip
def test_one_sentence_for_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(HostsError) as caught:
        parse(text)
    assert str(caught.value).startswith("hosts, line ") and words in str(caught.value)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="#"), max_size=12)
LINES = st.lists(
    st.one_of(
        WORDS, st.sampled_from(["10.0.0.4", "n4", "n4:1:2", "via=n4", "via=n5", "=", ":", '"', "\\", "tags=a,b"])
    ),
    max_size=7,
).map(" ".join)


@given(st.lists(LINES, max_size=4).map("\n".join))
def test_whatever_is_written_there_is_read_or_refused_in_one_sentence(text: str) -> None:
    try:
        hosts = parse(text)
    except HostsError as error:
        assert re.match(r"hosts, line \d+: \S", str(error))
    else:
        assert len({host.alias for host in hosts}) == len(hosts)


LABELS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True).filter(lambda label: label != "command")


@given(
    st.ip_addresses(), LABELS, LABELS, st.none() | st.integers(1, 65535), st.none() | st.integers(1, 4096), st.lists(LABELS, min_size=1)
)  # fmt: skip
def test_what_is_written_is_what_is_read(
    address: object, name: str, alias: str, port: int | None, cpus: int | None, tags: list[str]
) -> None:
    (host,) = parse(f"{address} {name} {alias}:{port or ''}:{cpus or ''} tags={','.join(tags)}")
    assert (host.address, host.name, host.alias) == (str(address), name, alias)
    assert (host.port, host.cpus, host.tags) == (port, cpus, tuple(tags))


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, work = tmp_path / "shared" / "spool", tmp_path / "work"
    for folder in (spool, work):
        folder.mkdir(parents=True)
    monkeypatch.chdir(work)
    with pytest.raises(
        HostsError, match=rf"^no hosts file: looked for {tmp_path}/shared/hosts and {work}/hosts; write"
    ):
        find(None, spool)
    (work / "hosts").touch()
    assert find(None, spool) == work / "hosts"
    (tmp_path / "shared" / "hosts").touch()
    assert find(None, spool) == tmp_path / "shared" / "hosts"
    assert find("hosts", spool) == Path("hosts")
    with pytest.raises(HostsError, match="no hosts file: looked for elsewhere; write one"):
        find("elsewhere", spool)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_bytes(b"\xef\xbb\xbf127.0.0.1 localhost l\r\n")
    assert read(tmp_path / "hosts")[0].alias == "l"
    (tmp_path / "hosts").write_bytes(b"# \n\xff10.0.0.4 n4 n4\n")
    with pytest.raises(HostsError, match=r"^hosts, line 2: expected UTF-8 text, got the byte 0xff$"):
        read(tmp_path / "hosts")
    with pytest.raises(HostsError, match=r"cannot be read: Is a directory"):
        read(tmp_path)


def test_hosts_are_chosen_by_alias_name_or_address() -> None:
    hosts = parse("10.0.0.1 a.example.org a\n10.0.0.2 b.example.org b\n10.0.0.3 c.example.org c")
    assert choose(hosts, []) == hosts
    assert [host.alias for host in choose(hosts, ["c", "10.0.0.1", "b.example.org"])] == ["a", "b", "c"]
    with pytest.raises(HostsError, match=r"^the hosts file has no 'd'; it has a, b, c$"):
        choose(hosts, ["a", "d"])


def test_every_key_is_in_the_document() -> None:
    text = (ROOT / "docs" / "hosts.md").read_text()
    assert [key for key in KEYS if f"| `{key}=" not in text] == []
