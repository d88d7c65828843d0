"""Looking into a submission that still lies in the inbox: its session, and the patterns of files in it.

Guarantees: nothing is changed, and nothing here decides what becomes of it: what cannot be read is said by whoever
takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.errors import PermanentError
from park_spool.sessions import submission
from park_spool.sessions.data import DATA, is_pattern
from park_spool.sessions.xml_tree import Limits, Node, parse_tree
from park_spool.tending.inbox import kind_of

_SIGNS = re.compile(rb"[*?\[]|&#")  # no pattern is without; in UTF-16, too


def session_of(disk: Disk, path: Path) -> tuple[bytes, frozenset[str] | None] | None:
    """Return a submission's XML and the names of the files with it; None if it has none that can be read."""
    try:
        match kind_of(path.name, disk.kind(path) or ""):
            case "xml":
                xml = disk.read(path)
                return None if xml is None else (xml, None)
            case "folder":
                names = submission.contents(path)
                session = submission.session_name(names)
                xml = disk.read(path / session)
                return None if xml is None else (xml, names - {session})
            case "zip":
                return submission.session_in(path, Limits().max_bytes)
    except (PermanentError, FileNotFoundError, PermissionError):
        pass
    return None


def patterns(xml: bytes) -> list[str]:
    """Return the hrefs of a session that are patterns, each once; none of what is no XML.

    >>> patterns(b"<session><data href='beamline:/run7/*.ort'/><data href='film.ort'/></session>")
    ['beamline:/run7/*.ort']
    """
    if not may_have_patterns(xml):
        return []
    try:
        tree = parse_tree(xml, Limits())
    except PermanentError:
        return []
    return list(dict.fromkeys(_patterns(tree)))


def may_have_patterns(xml: bytes) -> bool:
    """Say whether a look at the bytes alone leaves it open: most sessions need not be parsed once more.

    >>> may_have_patterns(b"<?xml version='1.0'?><session><data href='film.ort'/></session>")
    False
    """
    return _SIGNS.search(xml.partition(b"?>")[2] if xml.startswith(b"<?xml") else xml) is not None


def _patterns(node: Node) -> Iterator[str]:
    href = node.attributes.get("href", "").strip() if node.tag == DATA else ""
    if is_pattern(href):
        yield href
    for child in node.children:
        yield from _patterns(child)
