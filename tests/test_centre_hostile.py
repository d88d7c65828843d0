"""Hostile names, ranges and bytes: nothing outside of source and store is read or written, and nothing breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from centre_site import BEARER, Site, served
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PARTS = st.one_of(
    st.sampled_from(["..", ".", "", "%2e%2e", "%252e", "etc", "passwd", "a", "\\", "\0", "~", "*", "?", "#", "here:"]),
    st.text(max_size=20),
    st.binary(max_size=8).map(lambda data: data.decode("latin-1")),
)
NAMES = st.lists(PARTS, max_size=8).map("/".join)
RANGES = st.one_of(
    st.text(max_size=20),
    st.builds("bytes={}-{}".format, st.integers(-5, 2**70), st.one_of(st.just(""), st.integers(-5, 2**70))),
    st.lists(st.integers(0, 9), min_size=1, max_size=50).map(
        lambda ones: "bytes=" + ",".join(f"{n}-{n}" for n in ones)
    ),
)
PLACES = [
    "/data/here/",
    "/data/",
    "/blobs/",
    "/put/",
    "/names/here?pattern=",
    "/pins/",
    "/",
    "/data/put/",
    "/list?prefix=",
]


def plain(text: str) -> str:
    """Return what a header can carry."""
    return "".join(letter for letter in text if " " <= letter <= "\xff" and letter != "\x7f")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("hostile")
    (root / "outside").write_bytes(b"secret of another")
    site = Site(root)
    site.put("a", bytes(range(100)))
    (site.remote / "link").symlink_to(root / "outside")
    return site


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(PLACES),
    name=NAMES,
    asked=RANGES,
    other=RANGES,
    method=st.sampled_from(["GET", "GET", "HEAD", "PUT", "DELETE", "POST"]),
    is_quoted=st.booleans(),
)
def test_hostile_names_and_ranges(
    hostile: Site, place: str, name: str, asked: str, other: str, method: str, is_quoted: bool
) -> None:
    where = place + (quote(name, safe="/", errors="surrogatepass") if is_quoted else quote(name, safe="/%.~*\\:"))
    headers = {
        "Range": plain(asked),
        "If_Range": plain(other),
        "X_Park_Session": plain(other),
        "X_Park_User": plain(name),
    }
    if other.isascii():
        headers.pop("X_Park_Session")
    answer = hostile.ask(where, method=method, data=b"x" if method == "PUT" else None, **headers)
    assert answer.status_code < 500, (where, answer.data)
    assert b"secret of another" not in answer.data
    outside = {path.name for path in hostile.remote.parent.iterdir()}
    assert outside == {"outside", "remote", "store"}
    assert {path.name for path in hostile.remote.iterdir()} == {"a", "link"}


@pytest.fixture(scope="module")
def wire(hostile: Site) -> Iterator[tuple[str, int]]:
    with served(hostile.app) as loop:
        yield loop.place


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(PLACES).map(str.encode),
    name=st.one_of(
        st.binary(max_size=40), NAMES.map(lambda name: quote(name, safe="/", errors="surrogatepass").encode())
    ),
    asked=st.one_of(st.binary(max_size=40), RANGES.map(lambda asked: plain(asked).encode("latin-1"))),
)
def test_hostile_bytes_on_the_wire(wire: tuple[str, int], place: bytes, name: bytes, asked: bytes) -> None:
    token = BEARER["Authorization"].encode()
    lines = [b"GET %s%s HTTP/1.1" % (place, name), b"Host: x", b"Connection: close", b"Authorization: " + token]
    with socket.create_connection(wire, timeout=60) as asking:
        asking.sendall(b"\r\n".join([*lines, b"Range: " + asked, b"", b""]))
        answer = b"".join(iter(lambda: asking.recv(1 << 20), b""))
    assert answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.0 2", b"HTTP/1.0 4")), answer
    assert b"secret of another" not in answer


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=RANGES)
def test_every_range_is_a_part_the_whole_or_416(hostile: Site, asked: str) -> None:
    whole = bytes(range(100))
    answer = hostile.ask("/data/here/a", Range=plain(asked))
    match answer.status_code:
        case 200:
            assert answer.data == whole
        case 206:
            first, last = answer.headers["Content-Range"].removeprefix("bytes ").removesuffix("/100").split("-")
            assert answer.data == whole[int(first) : int(last) + 1]
        case _:
            assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */100")
