"""The one gate for what a session may say of a source: NAME:/PATH.

Owns: which paths are paths. Guarantees: what `clean` gives back is a sequence of plain names, which stays below
whatever root it is put under, also where a server takes quoting off once too often. A '%' is data, and so is a
':' : paths are quoted when a URL is made of them (http_source.py), and a URL's host is never made of them.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from park_spool.catalog.suggestions import quoted
from park_spool.errors import DataError

MOST_BYTES = 1024
NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
PUT = "put"  # what people and jobs have put into the data centre; nobody sets it up
NO_SOURCES = ("package", "file", "http", "https")  # what an href begins with that names none

_FORBIDDEN = "\\?#@*[]"
_WILD = "*?[]"
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, line and paragraph separators


def split(href: str) -> tuple[str, str] | None:
    """Split an href into the source's name and the path in it; None if it names no source.

    >>> split("beamline:/2026/run7/film.ort"), split("film.ort"), split("package:refnx/x.txt"), split("http://x/y")
    (('beamline', '/2026/run7/film.ort'), None, None, None)
    """
    name, colon, path = href.partition(":")
    if not colon or not NAME.fullmatch(name) or name in NO_SOURCES:
        return None
    return name, path


def clean(path: str) -> str:
    """Return a path inside a source as it is, or raise DataError that says what is wrong with it.

    >>> clean("/2026/run7/film, 25 %.ort")
    '/2026/run7/film, 25 %.ort'
    """
    return _checked(path, _FORBIDDEN)


def clean_pattern(pattern: str) -> str:
    """Return a pattern of paths: as `clean`, but `*`, `?` and `[ ]` are allowed, within one name each.

    >>> clean_pattern("/2026/run?/film[0-9]*.ort")
    '/2026/run?/film[0-9]*.ort'
    """
    if "**" in pattern:
        raise DataError(f"the pattern {quoted(pattern)} has '**'; a '*' stands within one name, never for folders")
    return _checked(pattern, "".join(letter for letter in _FORBIDDEN if letter not in _WILD))


def has_wildcard(path: str) -> bool:
    """Say whether a path, or a part of one, is a pattern.

    >>> has_wildcard("/2026/run7/*.ort"), has_wildcard("/2026/run7/film.ort")
    (True, False)
    """
    return any(letter in path for letter in "*?[")


def clean_root(path: str) -> str:
    """Return the folder that an administrator named: letters that mean something in patterns or URLs are data there.

    >>> clean_root("/users/me@site")
    '/users/me@site'
    """
    return _checked(path, "\\")


def is_clean_name(name: str) -> bool:
    """Say whether a name of a listing may stand in a path.

    >>> is_clean_name("film.ort"), is_clean_name(".."), is_clean_name("a/b"), is_clean_name("a?b")
    (True, False, False, False)
    """
    try:
        return "/" not in name and bool(clean(f"/{name}"))
    except DataError:
        return False


def _checked(path: str, forbidden: str) -> str:
    if not path.startswith("/"):
        raise DataError(f"the path {quoted(path)} must begin with '/', as in NAME:/FOLDER/FILE")
    for letter in path:
        if letter in forbidden or unicodedata.category(letter) in _UNSEEN:
            raise DataError(f"the path {quoted(path)} has {letter!r}, which no path in a source may have")
    if len(path.encode()) > MOST_BYTES:
        raise DataError(f"the path {quoted(path)} has more than {MOST_BYTES} bytes")
    for part in path[1:].split("/"):
        _check_part(path, part)
    return path


def _check_part(path: str, part: str) -> None:
    if not part:
        raise DataError(f"the path {quoted(path)} has an empty part: no '//' and no '/' at its end")
    bare = _unquoted(part)
    if bare in (".", ".."):
        raise DataError(f"the path {quoted(path)} climbs with {part!r}, which no path in a source may")
    if bare != part and any(letter in "/\\" or unicodedata.category(letter) == "Cc" for letter in bare):
        raise DataError(f"the path {quoted(path)} hides a separator or a control character in {part!r}")


def _unquoted(part: str) -> str:
    """Take quoting off until nothing is left of it: some server does it twice.

    >>> _unquoted("%252e%2e")
    '..'
    """
    while (bare := unquote(part)) != part:
        part = bare
    return part
