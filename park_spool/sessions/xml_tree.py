"""XML bytes into a tree in which every element knows its line and column.  The only XML parser of sessions.

Owns: the safe settings and the bounds.  Built on defusedxml's expat reader with DTDs forbidden, so there are
no entities and nothing external; a document is refused as soon as it exceeds a bound, not after it is read.
Guarantees: a tree, or MalformedXml (not well-formed: it may still be on its way) or SessionError, each with
line and column counted from 1, columns in characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from park_spool.catalog.suggestions import quoted
from park_spool.errors import MalformedXml, SessionError
from park_spool.sessions.element import Element
from park_spool.sessions.malformed import explain

_CHUNK = 1 << 16
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_HEAD = 4096  # bytes in which a declaration must end
_ENCODINGS = re.compile(r"(?:utf-8|utf-16(?:-[bl]e)?|us-ascii|iso-8859-\d{1,2}|windows-125\d|cp125\d)", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what one session file may ask for; beyond them it is rejected with the bound in the reason."""

    max_bytes: int = 32 * 1024 * 1024
    max_depth: int = 32
    max_elements: int = 1_000_000
    max_attributes: int = 1_000
    max_jobs: int = 100_000_000
    max_groups: int = 999  # a unit's name has three digits for the group and three for the job list
    max_joblists: int = 999
    max_steps: int = 10_000  # of a sequential job list
    max_patterns: int = 100  # of files, each asked for once, however many inputs have it


@dataclass(slots=True)
class Node:
    """Hold one element while a session is read: what `Element` holds, and where it began."""

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Give the element's own text; white space alone is the layout of the file and counts as none."""
        text = "".join(self.texts)
        return text if text.strip() else ""

    def element(self) -> Element:
        """Give the same without places, for keeping."""
        return Element(self.tag, self.attributes, self.text, tuple([child.element() for child in self.children]))


class _Builder(ContentHandler):
    """Build the tree from the parser's calls, and refuse it at the first bound that it exceeds."""

    def __init__(self, limits: Limits, locator: Locator) -> None:
        super().__init__()
        self.limits, self.locator, self.elements = limits, locator, 0
        self.open: list[Node] = []
        self.root: Node | None = None

    def place(self) -> tuple[int, int]:
        return (self.locator.getLineNumber() or 0), (self.locator.getColumnNumber() or 0) + 1

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802  (SAX's name)
        node = Node(name, dict(attrs.items()), *self.place())
        self.elements += 1
        self._check(node)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.open.pop()

    def characters(self, content: str) -> None:
        self.open[-1].texts.append(content)

    def _check(self, node: Node) -> None:
        limits = self.limits
        if len(self.open) >= limits.max_depth:
            raise _beyond(node, f"more than {limits.max_depth} elements are nested in one another")
        if self.elements > limits.max_elements:
            raise _beyond(node, f"more than {limits.max_elements:,} elements; a <scan> makes jobs without")
        if len(node.attributes) > limits.max_attributes:
            count = len(node.attributes)
            raise _beyond(node, f"<{node.tag}> has {count:,} attributes, more than {limits.max_attributes:,}")


def _beyond(node: Node, reason: str) -> SessionError:
    return SessionError(f"{reason}: rejected", node.line, node.column)


def parse_tree(xml: bytes, limits: Limits) -> Node:
    """Parse a whole document within the limits; MalformedXml or SessionError with the place otherwise."""
    if len(xml) > limits.max_bytes:
        raise SessionError(f"the file has {len(xml):,} bytes, more than the {limits.max_bytes:,} allowed")
    _check_encoding(xml)
    xml = xml.removeprefix(_BOM)
    parser = DefusedExpatParser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    builder = _Builder(limits, parser)
    parser.setContentHandler(builder)
    try:
        for start in range(0, len(xml) or 1, _CHUNK):
            parser.feed(xml[start : start + _CHUNK])
        parser.close()
    except SAXParseException as error:
        raise _malformed(xml, error, builder) from error
    except DefusedXmlException as error:
        raise SessionError(_REFUSED, *builder.place()) from error
    except (LookupError, ValueError) as error:  # a declaration that `declared_encoding` did not see
        raise SessionError(f"the encoding of the file is not known here: {error}", 1, 1) from error
    assert builder.root is not None  # a document without an element is not well-formed
    return builder.root


_REFUSED = "a document type (<!DOCTYPE>) or an entity is declared here; a session has neither: take it out"


def _malformed(xml: bytes, error: SAXParseException, builder: _Builder) -> MalformedXml:
    line, column = error.getLineNumber() or 1, (error.getColumnNumber() or 0) + 1
    still_open = [(node.tag, node.line, node.column) for node in builder.open]
    found = explain(xml, _encoding(xml), error.getMessage(), line, column, still_open)
    return MalformedXml(found.words, found.line, found.column)


def declared_encoding(xml: bytes) -> str:
    """Give the encoding that a document declares, UTF-8 if it declares none.

    >>> declared_encoding(b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>"), declared_encoding(b"<a/>")
    ('ISO-8859-1', 'UTF-8')
    """
    # Without byte order marks and NUL bytes a declaration reads the same in UTF-16 as in ASCII.
    match = _DECLARED.match(xml[:_HEAD].lstrip(b"\xef\xbb\xbf\xfe\xff").replace(b"\0", b""))
    return match[1].decode("ascii", "replace") if match else "UTF-8"


def _encoding(xml: bytes) -> str:
    """Give the encoding that the first bytes show, else the declared one."""
    if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if xml.startswith((b"<\0", b"\0<")):
        return "UTF-16-LE" if xml.startswith(b"<") else "UTF-16-BE"
    return declared_encoding(xml)


def _check_encoding(xml: bytes) -> None:
    encoding = declared_encoding(xml)
    if not _ENCODINGS.fullmatch(encoding):
        raise SessionError(f"the encoding {quoted(encoding)} is not known here; save the file as UTF-8", 1, 1)
