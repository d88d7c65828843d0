"""Web servers that cut off, lie, or answer what is no HTTP: a real socket on loopback, byte by byte."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partial_file import PartialFile
from remotes import Raw, raw
from test_source_paths import NAMES

from park_spool.errors import DataError, ParkError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.http_source import HttpSource
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import Changed, NotThere, Refused, Source
from park_spool.store.facts import Facts

BODY = b"0123456789"


def source_at(server: Raw, timeout: float = 5.0) -> Source:
    return open_source(SourceSettings("web", server.url, timeout=timeout))


def answer(*headers: str, status: str = "200 OK", body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body


def whole(request: bytes) -> bytes:
    """Answer as a good server does."""
    body = b"" if request.startswith(b"HEAD") else BODY
    return answer('ETag: "1"', "Content-Length: 10", body=body)


def read(source: Source, offset: int = 0, facts: Facts | None = None) -> bytes:
    with source.open("/x", offset, facts or Facts(10, '"1"')) as chunks:
        return b"".join(chunks)


def test_what_is_asked_for(tmp_path: Path) -> None:
    with raw(whole) as server:
        assert read(source_at(server)) == BODY
        get, head = server.asked
    assert get.startswith(b"GET /x HTTP/1.1\r\n") and head.startswith(b"HEAD /x HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in get and b"Range" not in get
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in get


def test_the_rest_is_asked_for_on_condition(tmp_path: Path) -> None:
    rest = answer('ETag: "1"', "Content-Length: 4", "Content-Range: bytes 6-9/10", status="206 P", body=b"6789")
    with raw(rest, whole) as server:
        assert read(source_at(server), 6) == b"6789"
        assert b'Range: bytes=6-\r\nIf-Range: "1"\r\n' in server.asked[0]


def test_a_body_that_is_cut_is_resumed(tmp_path: Path) -> None:
    cut = answer('ETag: "1"', "Content-Length: 10", body=BODY[:6])
    rest = answer('ETag: "1"', "Content-Length: 4", "Content-Range: bytes 6-9/10", status="206 P", body=b"6789")
    said: list[str] = []
    with raw(whole, cut, whole, rest, whole) as server:
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=2, pause=lambda _: None, said=said.append)
        assert len(server.asked) == 5
    assert partial.content == BODY and len(partial.restarts) == 1
    assert said == ["web:/x: 127.0.0.1 cut the connection 4 bytes before the end; tried again in 1 s"]


def test_a_server_without_ranges_is_begun_anew_each_time(tmp_path: Path) -> None:
    cut = answer('ETag: "1"', "Content-Length: 10", body=BODY[:6])
    said: list[str] = []
    with raw(whole, cut, whole, whole, whole, whole, whole) as server:
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=2, pause=lambda _: None, said=said.append)
    assert partial.content == BODY and len(partial.restarts) == 2
    assert said[1] == "web:/x: 127.0.0.1 does not continue the version that was begun; it is begun anew"


def test_a_server_that_always_cuts_is_given_up(tmp_path: Path) -> None:
    cut = answer('ETag: "1"', "Content-Length: 10", body=b"")
    with raw(cut) as server, pytest.raises(TemporaryError) as caught:
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=3, pause=lambda _: None, said=lambda _: None)
    assert str(caught.value) == "web:/x: 127.0.0.1 cut the connection 10 bytes before the end; given up after 3 tries"
    assert len([head for head in server.asked if head.startswith(b"GET")]) == 3


def test_a_file_that_changes_with_every_look_is_given_up(tmp_path: Path) -> None:
    count = iter(range(1000))

    def changing(request: bytes) -> bytes:
        return answer(f'ETag: "{next(count)}"', "Content-Length: 10", body=BODY if request[:1] == b"G" else b"")

    with raw(changing) as server, pytest.raises(TemporaryError, match="is another version now; given up after 3 tries"):
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=3, pause=lambda _: None, said=lambda _: None)
    assert len(server.asked) < 20


def test_a_file_that_never_says_its_version_is_never_resumed(tmp_path: Path) -> None:
    def shy(request: bytes) -> bytes:
        body = b"" if request[:1] == b"H" else BODY if len(server.asked) > 3 else BODY[:5]
        return answer("Content-Length: 10", body=body)

    with raw(shy) as server:
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=5, pause=lambda _: None, said=lambda _: None)
        assert partial.content == BODY and not [head for head in server.asked if b"Range" in head]


def test_a_length_is_not_needed_in_chunks(tmp_path: Path) -> None:
    head = answer('ETag: "1"', "Transfer-Encoding: chunked")
    good, cut = head + b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", head + b"5\r\n01234\r\n5\r\n56"
    with raw(good, whole) as server:
        assert read(source_at(server), facts=Facts(None, '"1"')) == BODY
    with raw(cut) as server, pytest.raises(TemporaryError, match="cut the connection"):
        read(source_at(server), facts=Facts(None, '"1"'))
    with raw(head + b"5\r\n01234\r\nxyz") as server, pytest.raises(TemporaryError):
        read(source_at(server), facts=Facts(None, '"1"'))


PART = {"status": "206 Partial Content", "body": b"6789"}


@pytest.mark.parametrize(
    ("offset", "data", "kind", "words"),
    [
        (0, b"", TemporaryError, "cut the connection"),
        (0, b"SSH-2.0-x\r\n", TemporaryError, "no HTTP: BadStatusLine"),
        (0, b"HTTP/1.1 abc\r\n\r\n", TemporaryError, "no HTTP"),
        (0, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, TemporaryError, "no HTTP: LineTooLong"),
        (0, answer(*["X: y"] * 200), TemporaryError, "no HTTP: HTTPException"),
        (0, answer(body=BODY), DataError, "does not say how long it is"),
        (0, answer("Content-Length: 9", body=BODY), Changed, "another version"),
        (0, answer("Content-Length: -1", body=BODY), TemporaryError, "a length that is none: '-1'"),
        (0, answer("Content-Length: 1_0", body=BODY), TemporaryError, "a length that is none"),
        (0, answer("Content-Length: 10", "Content-Length: 9", body=BODY), TemporaryError, "a length that is none"),
        (0, answer("Content-Length: 10", "Content-Encoding: gzip"), DataError, "sends it as 'gzip'"),
        (0, answer("Content-Length: 10", "Transfer-Encoding: gzip, chunked"), DataError, "sends it as"),
        (
            0,
            answer("Content-Length: 4", "Content-Range: bytes 6-9/10", **PART),
            TemporaryError,
            "from 6 on, not from 0",
        ),
        (6, answer("Content-Length: 4", 'ETag: "1"', **PART), TemporaryError, "does not say which"),
        (
            6,
            answer("Content-Length: 4", "Content-Range: bytes 5-8/10", 'ETag: "1"', **PART),
            TemporaryError,
            "from 5 on",
        ),
        (
            6,
            answer("Content-Length: 4", "Content-Range: bytes 6-9/9", 'ETag: "1"', **PART),
            TemporaryError,
            "cannot be",
        ),
        (
            6,
            answer("Content-Length: 9", "Content-Range: bytes 6-9/10", 'ETag: "1"', **PART),
            TemporaryError,
            "cannot be",
        ),
        (
            6,
            answer("Content-Length: 4", "Content-Range: bytes 9-6/10", 'ETag: "1"', **PART),
            TemporaryError,
            "cannot be",
        ),
        (
            6,
            answer("Content-Length: 4", "Content-Range: bytes 6-9/10", 'ETag: "2"', **PART),
            Changed,
            "another version",
        ),
        (6, answer("Content-Length: 4", "Content-Range: bytes 6-9/10", **PART), Changed, "does not continue"),
        (6, answer("Content-Length: 10", 'ETag: "1"', body=BODY), Changed, "does not continue"),
        (6, answer("Content-Length: 0", status="416 Range Not Satisfiable"), Changed, "ends before"),
        (0, answer("Content-Length: 0", status="408 Request Timeout"), TemporaryError, "answered 408"),
        (0, answer("Content-Length: 0", status="304 Not Modified"), DataError, "answered 304"),
        (0, answer("Content-Length: 0", status="999 <script>"), TemporaryError, "answered 999$"),
        (0, answer("Content-Length: 0", status="302 Found"), Refused, "redirects to '', which is no URL"),
        (0, answer("Location: /x\u00ff", status="302 Found"), Refused, "which is no URL"),
        (0, answer("Location: http://127.0.0.1:1/x", status="301 Moved"), Refused, "same scheme, host and port"),
        (0, answer("Location: x/", status="301 Moved"), NotThere, "is a folder"),
    ],
)
def test_an_answer_that_cannot_be_used(offset: int, data: bytes, kind: type[ParkError], words: str) -> None:
    with raw(data) as server, pytest.raises(kind, match=words) as caught:
        read(source_at(server), offset)
    assert str(caught.value).startswith("web:/x: 127.0.0.1 ") or kind in (Changed, NotThere)
    assert caught.type is kind and "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_headers_that_are_no_facts_are_none() -> None:
    odd = answer("ETag: unquoted", "Last-Modified: yesterday", "Content-Length: 10")
    with raw(odd) as server:
        assert source_at(server).facts("/x") == Facts(10)


@pytest.mark.parametrize(
    "cut", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", answer("Content-Length: 10", 'ETag: "1"', body=b"012")]
)
def test_a_server_that_stops_in_the_middle_is_left(cut: bytes) -> None:
    with raw(cut, stays_open=True) as server, pytest.raises(TemporaryError, match=r"did not answer within 0\.2 s"):
        read(source_at(server, timeout=0.2))


def test_more_than_there_should_be_is_not_taken(tmp_path: Path) -> None:
    head = answer('ETag: "1"', "Transfer-Encoding: chunked")
    endless = head + b"5\r\n01234\r\n" * 1000
    with raw(whole, endless) as server:
        partial = PartialFile(tmp_path / "partial")
        with pytest.raises(TemporaryError, match="web:/x has 10 bytes, and more came; given up after one try"):
            fetch(source_at(server), "/x", partial, tries=1, pause=lambda _: None, said=lambda _: None)
    assert partial.size <= 10


def test_a_server_that_says_of_a_file_that_it_is_empty_is_not_believed(tmp_path: Path) -> None:
    def liar(request: bytes) -> bytes:
        return answer("Content-Length: 0") if request.startswith(b"HEAD") else answer("Content-Length: 10", body=BODY)

    with raw(liar) as server, pytest.raises(TemporaryError, match="another version"):
        partial = PartialFile(tmp_path / "partial")
        fetch(source_at(server), "/x", partial, tries=2, pause=lambda _: None, said=lambda _: None)


def test_a_listing_that_is_cut_is_no_listing() -> None:
    page = b'<a href="a.ort">a</a>'
    head = answer("Content-Type: text/html", f"Content-Length: {len(page) + 1}", body=page)
    with raw(head) as server, pytest.raises(TemporaryError, match="1 bytes before the end"):
        source_at(server).names("/*")
    whole_page = answer("Content-Type: text/html", f"Content-Length: {len(page)}", body=page)
    with raw(whole_page, stays_open=True) as server:
        assert source_at(server).names("/*") == ["/a.ort"]


def test_an_ipv6_address_is_not_taken_for_a_port() -> None:
    for url, place in (
        ("http://[::1]/", ("::1", 80)),
        ("https://[::1]/", ("::1", 443)),
        ("http://[::1]:8/", ("::1", 8)),
    ):
        source = open_source(SourceSettings("web", url))
        assert isinstance(source, HttpSource)
        connection = source._connection()
        assert (connection.host, connection.port) == place


@pytest.fixture(scope="module")
def connected() -> Iterator[list[Any]]:
    """Note every address that this process connects to, or asks a name server for."""
    places: list[Any] = []
    is_noting = True

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if is_noting and event == "socket.connect":
            places.append(arguments[1][:2])
        elif is_noting and event == "socket.getaddrinfo":
            places.append(arguments[:2])

    sys.addaudithook(note)
    yield places
    is_noting = False


LOCATIONS = st.sampled_from(
    ["", "/", "//", "http://127.0.0.1:9/", "http://127.0.0.1@evil.org/", "http://[::1]/", "ftp://"]
)


@settings(max_examples=500, deadline=None)
@given(path=NAMES, start=LOCATIONS, location=NAMES)
def test_whatever_is_said_only_the_root_of_the_one_server_is_asked(
    connected: list[Any], path: str, start: str, location: str
) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: {start}{location}\r\nContent-Length: 0\r\n\r\n"
    with raw(moved.encode(errors="replace")) as server:
        connected.clear()
        source = open_source(SourceSettings("web", f"{server.url}data/"))
        for asked in (path, f"/{path}", "/x"):
            with suppress(ParkError):
                source.facts(asked)
            with suppress(ParkError):
                source.names(asked)
    assert set(connected) == {("127.0.0.1", server.port)}
    for head in server.asked:
        target = head.split(b" ")[1].decode("ascii")
        assert head.count(b"Host: ") == 1 and target.startswith("/data/")
        assert posixpath.normpath(unquote(unquote(target))).startswith("/data")


def test_a_listing_is_only_plain_names() -> None:
    page = b"""<html><base href="http://evil.org/"><a href="../">up</a><a href="/etc/passwd">x</a><a href='b.ort'>b</a>
        <a href="//evil.org/x.ort">x</a><a href="http://evil.org/y.ort">y</a><a href="%2e%2e">z</a><A HREF=c%20d.ort>
        <a href="e%2ff.ort">e</a><a href="javascript:x.ort">j</a><a href="?C=M">s</a><a>none</a><a href="sub/">s</a>
        <a href="..%5cx.ort">x</a><a href="%ff.ort">x</a><a href="a%0ab.ort">x</a><a href="./12:30.ort">t</a><a href="&#x2e;&#x2e;">"""
    with raw(answer("Content-Type: text/html; charset=utf-8", f"Content-Length: {len(page)}", body=page)) as server:
        assert source_at(server).names("/*") == ["/12:30.ort", "/b.ort", "/c d.ort"]


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/plain", b"a.ort", "gives no list"),
        ("text/html", b"<![foo[", "no HTML"),
        ("text/html", b"x" * 9_000_000, "bytes"),
    ],
)
def test_a_listing_that_is_none(kind: str, body: bytes, words: str) -> None:
    page = answer(f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body)
    with raw(page) as server, pytest.raises(DataError, match=words):
        source_at(server).names("/run7/*")
