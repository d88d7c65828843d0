"""The gate for paths: what is a path in a source, what is none, and that a thousand hostile ones lead nowhere else."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool.errors import DataError
from park_spool.sources.paths import clean, clean_pattern, is_clean_name, split
from park_spool.sources.redirects import inside

HOSTILE = [
    "/..",
    "/a/../b",
    "/./a",
    "/%2e%2e/x",
    "/.%2E/x",
    "/%252e%252e/x",
    "/a%2fb",
    "/a%5cb",
    "/a%00",
    "//evil.example.org/x",
    "/a//b",
    "/",
    "/a/",
    "",
    "a",
    "http://evil.example.org/",
    "/a\\b",
    "/a\0",
    "/a\nb",
    "/a\r\nHost: evil",
    "/a\x7f",
    "/a\u2028b",
    "/a\ud800",
    "/a?b",
    "/a#b",
    "/user@host",
    "@evil.example.org/x",
    "/[::1]/x",
    "[::1]:80/x",
    "/*.ort",
    "/" + "a" * 1024,
]
GOOD = [
    "/film.ort",
    "/2026/run7/a%2e.ort",
    "/a b/ü€.ort",
    "/...",
    "/.hidden",
    "/12:30.ort",
    "/%",
    "/~root/x",
    "/a+b=c&d;e",
]

# What hostile paths are made of.
PIECES = st.sampled_from(
    [
        "..",
        ".",
        "/",
        "//",
        "\\",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "%00",
        "%25",
        "a",
        "http:",
        "@",
        "evil.org",
        "[::1]",
        ":80",
        "?",
        "#",
        "~",
        "*",
        "．．",
        "／",
        "ü",
        ";",
        "&",
        "%c0%ae",
        "%u002e",
    ]
) | st.sampled_from("\0\n\r\t \ud800")
NAMES = st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join)


@pytest.mark.parametrize("path", GOOD)
def test_a_path_is_given_back_as_it_is(path: str) -> None:
    assert clean(path) == path


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
def test_what_is_no_path_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(DataError) as caught:
        clean(path)
    assert str(caught.value).startswith("the path ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("href", "parts"),
    [
        ("beamline:/a.ort", ("beamline", "/a.ort")),
        ("beamline://evil/a", ("beamline", "//evil/a")),
        ("beamline:a", ("beamline", "a")),
        ("put:/mine.ort", ("put", "/mine.ort")),
        ("a" * 33 + ":/x", None),
        ("Beamline:/x", None),
        ("package:refnx/x", None),
        ("https://x/y", None),
        ("/a:/b", None),
        ("film.ort", None),
    ],
)
def test_an_href_is_split(href: str, parts: tuple[str, str] | None) -> None:
    assert split(href) == parts


def test_a_pattern_has_wildcards_and_never_two_stars() -> None:
    assert clean_pattern("/20*/run?/f[0-9].ort") == "/20*/run?/f[0-9].ort"
    with pytest.raises(DataError, match="within one name"):
        clean_pattern("/**/x.ort")
    with pytest.raises(DataError, match="climbs"):
        clean_pattern("/*/../x.ort")


@settings(max_examples=1000, deadline=None)
@given(NAMES)
def test_no_path_leaves_the_root_or_names_a_host(text: str) -> None:
    for path in (text, f"/{text}"):
        try:
            good = clean(path)
        except DataError:
            continue
        assert posixpath.normpath(f"/root{good}").startswith("/root/")
        url = f"http://data.example.org:8080/root/{quote(good[1:])}"
        assert (urlsplit(url).hostname, urlsplit(url).port) == ("data.example.org", 8080)
        assert not urlsplit(url).query and not urlsplit(url).fragment
        assert unquote(urlsplit(url).path) == f"/root{good}" and url.isascii()
        assert posixpath.normpath(unquote(unquote(urlsplit(url).path))).startswith("/root/")
        assert all(is_clean_name(part) for part in good[1:].split("/"))


@settings(max_examples=1000, deadline=None)
@given(
    NAMES, st.sampled_from(["", "/", "//", "http://127.0.0.1:81/", "http://127.0.0.1:80/data/", "http:", "https://"])
)
def test_no_redirect_leaves_the_root_or_the_host(text: str, start: str) -> None:
    try:
        path = inside("http://127.0.0.1/data/", "http://127.0.0.1/data/a/b.ort", start + text)
    except DataError as error:
        assert str(error).startswith("to ") and "\n" not in str(error)
    else:
        assert path == "/" or clean(path.rstrip("/"))


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("c.ort", "/a/c.ort"),
        ("../c%20d.ort", "/c d.ort"),
        ("/data/a%252e.ort", "/a%2e.ort"),
        ("http://127.0.0.1/data/c.ort", "/c.ort"),
        ("HTTP://127.0.0.1:80/data/c.ort", "/c.ort"),
        ("//127.0.0.1/data/c/", "/c/"),
    ],
)
def test_a_redirect_within_the_root_is_a_path(location: str, path: str) -> None:
    assert inside("http://127.0.0.1/data/", "http://127.0.0.1/data/a/b.ort", location) == path


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://127.0.0.2/data/c", "not the same scheme, host and port"),
        ("http://127.0.0.1:8080/data/c", "not the same scheme, host and port"),
        ("https://127.0.0.1/data/c", "not the same scheme, host and port"),
        ("http://127.0.0.1@evil.org/data/c", "not the same scheme, host and port"),
        ("http://me@127.0.0.1/data/c", "not the same scheme, host and port"),
        ("//evil.org/data/c", "not the same scheme, host and port"),
        ("file:///etc/passwd", "not the same scheme, host and port"),
        ("/etc/passwd", "not below the root"),
        ("/database/x", "not below the root"),
        ("../../etc/passwd", "not below the root"),
        ("http://127.0.0.1/data/../etc/passwd", "climbs"),
        ("/data/%2e%2e/etc/passwd", "climbs"),
        ("/data//x", "empty part"),
        ("/data/x?y=z", "'\\?'"),
        ("/data/x#y", "'#'"),
        ("/data/x\\y", "no URL"),
        ("/data/x y", "no URL"),
        ("http://[::1/data/x", "no URL"),
        ("http://127.0.0.1:99999/data/x", "no URL"),
        ("/data/%ff", "no URL"),
        ("", "no URL"),
    ],
)
def test_a_redirect_elsewhere_is_none(location: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        inside("http://127.0.0.1/data/", "http://127.0.0.1/data/a/b.ort", location)
