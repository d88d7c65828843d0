"""Why a file is not well-formed XML, in words that say what to type instead.

Owns: the explanations of the parser's errors.  Two things happen to users all the time and have their own:
typographic quotes, as one gets by copying from slides, and a file in another encoding than it says.
Guarantees: pure, and never raises: with nothing better to say it says what the parser said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.parsers.expat import errors

_QUOTES = "‘’‚‛“”„‟′″´`«»"
_OUTSIDE = re.compile(rf"=\s*([{_QUOTES}])")
_CP1252_QUOTES = {0x91: "‘", 0x92: "’", 0x93: "“", 0x94: "”"}
_SHORT = 2000  # characters of a tag that are looked at

OpenElement = tuple[str, int, int]

_WORDS = {
    errors.XML_ERROR_SYNTAX: "the file does not begin like XML: expected <session ...> or <?xml ...?>",
    errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT: "there is more after the end of the session; one file holds one",
    errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "the same attribute stands twice in this element",
    errors.XML_ERROR_UNDEFINED_ENTITY: "no such entity; only &lt; &gt; &amp; &quot; &apos; &#NUMBER; exist",
    errors.XML_ERROR_MISPLACED_XML_PI: "<?xml ...?> may only stand at the very beginning of the file",
    errors.XML_ERROR_INCORRECT_ENCODING: "the file is not in the encoding that its first line declares",
}


_ESCAPES = {"&": "; for an ampersand write &amp;", "<": "; for a less-than sign write &lt;"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what is wrong, in words, and where, both counted from 1."""

    words: str
    line: int
    column: int


def explain(
    xml: bytes, encoding: str, message: str, line: int, column: int, still_open: Sequence[OpenElement]
) -> Finding:
    """Explain the parser's `message` at a place; `still_open` lists (tag, line, column), outermost first."""
    found = None if message == errors.XML_ERROR_INCORRECT_ENCODING else _wrong_encoding(xml, encoding)
    if found:
        return found
    lines = _lines(xml, encoding)
    found = _typographic(lines, line, column)
    if found:
        return found
    return Finding(_in_words(message, _around(lines, line, column), still_open), line, column)


def _in_words(message: str, around: str, still_open: Sequence[OpenElement]) -> str:
    if message in _WORDS:
        return _WORDS[message]
    if message in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN):
        return _cut_off(still_open)
    if message == errors.XML_ERROR_TAG_MISMATCH and still_open:
        tag, line, column = still_open[-1]
        return f"this closing tag does not match <{tag}>, opened in line {line}, column {column}"
    if around.endswith("\0"):
        return "a NUL byte (0x00), which XML does not have: the file is damaged or not yet whole"
    if message == errors.XML_ERROR_INVALID_TOKEN and around:
        instead = _ESCAPES.get(around[-1]) or _ESCAPES.get(around[0]) or ""
        return f"not well-formed XML: {around[-1]!r} cannot stand here{instead}"
    return f"not well-formed XML: {message}"


def _cut_off(still_open: Sequence[OpenElement]) -> str:
    if not still_open:
        return "the file ends before its first element is whole: expected <session ...>"
    tag, line, _ = still_open[-1]
    return (
        f"the file ends while <{tag}> of line {line} is still open: "
        "it was cut off, or a closing tag or quote is missing"
    )


def _wrong_encoding(xml: bytes, encoding: str) -> Finding | None:
    try:
        xml.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end == len(xml) and "unexpected end" in error.reason:
            return None  # cut off within a character: the file is not whole, its encoding may be right
        before = error.object[: error.start].decode(encoding, "replace")
        return Finding(_byte_words(error.object[error.start], encoding), *_place(before))
    except LookupError:
        pass
    return None


def _byte_words(byte: int, encoding: str) -> str:
    quote = _CP1252_QUOTES.get(byte)
    kind = f"; in Windows-1252 it is the typographic quote {quote}: type ' or \" instead" if quote else ""
    return f"byte 0x{byte:02X} is not {encoding}: save the file as UTF-8, or declare the encoding it has{kind}"


def _place(before: str) -> tuple[int, int]:
    lines = _split(before)
    return len(lines), len(lines[-1]) + 1


def _lines(xml: bytes, encoding: str) -> list[str]:
    try:
        return _split(xml.decode(encoding, "replace"))
    except LookupError:
        return _split(xml.decode("utf-8", "replace"))


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _around(lines: Sequence[str], line: int, column: int) -> str:
    """Give the character at a place with the one before it; nothing at the end of a line."""
    at_place = lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""
    return lines[line - 1][max(column - 2, 0) : column] if at_place else ""


def _typographic(lines: Sequence[str], line: int, column: int) -> Finding | None:
    """Find a typographic quote used as an attribute's quote in the tag that holds the place or ends there."""
    text = "\n".join(lines)
    index = sum(len(earlier) + 1 for earlier in lines[: line - 1]) + column - 1
    for start in _tag_starts(text, index):
        end = text.find(">", max(index, start))
        tag = text[start : end if end >= 0 else len(text)][:_SHORT]
        offset = misused_quote(tag)
        if offset is not None:
            place = _place(text[: start + offset])
            return Finding(_quote_words(tag, offset), *place)
    return None


def _tag_starts(text: str, index: int) -> list[int]:
    # The place may be a `<` that a value ran into because its closing quote was no quote: look one tag back.
    here = text.rfind("<", 0, index + 1)
    before = text.rfind("<", 0, here) if here > 0 else -1
    return [start for start in (before, here) if start >= 0]


def misused_quote(tag: str) -> int | None:
    """Find the first typographic quote that stands where ' or " must stand; None if there is none.

    >>> misused_quote("<input count=‘24’>"), misused_quote("<group name='it’s'>")
    (13, None)
    >>> misused_quote("<session user='wwchen‘ email='x'>")
    21
    """
    index = 0
    while (equals := tag.find("=", index)) >= 0:
        outside = _OUTSIDE.match(tag, equals)
        if outside:
            return outside.start(1)
        value = re.compile(r"=\s*(['\"])(.*?)(\1|\Z)", re.DOTALL).match(tag, equals)
        if not value:
            index = equals + 1
            continue
        if not re.compile(r"[\s/?>]|\Z").match(tag, value.end()) or not value[3]:
            inside = re.search(f"[{_QUOTES}]", value[2])
            return value.start(2) + inside.start() if inside else None
        index = value.end()
    return None


def _quote_words(tag: str, offset: int) -> str:
    return (
        f"the typographic quote {tag[offset]} (U+{ord(tag[offset]):04X}) cannot enclose an attribute: "
        "type a straight ' or \" instead (copying from slides or a word processor changes them)"
    )
