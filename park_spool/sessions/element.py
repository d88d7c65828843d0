"""Generic XML elements as values: what an input is, kept exactly as the user wrote it.

Owns: `Element`, its compact JSON form, and the text of it that an executable reads on standard input.
Guarantees: no parser, no disk.  `text` is the element's own character data in one piece; an element
with children drops text that is only white space, so that the layout of a file does not reach a service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# Not xml.sax.saxutils: it loads the whole of urllib, http and ssl, which every worker would carry about and fork.
# A carriage return that is written as itself would come back as a line feed, in an attribute the others as blanks.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_IN_TEXT = re.compile(r"[&<>\r]")
_IN_ATTRIBUTE = re.compile(r'[&<>"\n\r\t]')


@dataclass(frozen=True, slots=True)
class Element:
    """Hold one XML element: its tag, attributes, own text and children."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Element, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give the element as JSON, leaving out what is empty.

        >>> Element("input", {"count": "24"}).to_json()
        {'tag': 'input', 'attributes': {'count': '24'}}
        """
        shown: dict[str, object] = {"tag": self.tag}
        if self.attributes:
            shown["attributes"] = self.attributes
        if self.text:
            shown["text"] = self.text
        if self.children:
            shown["children"] = [child.to_json() for child in self.children]
        return shown

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Element:
        """Read what `to_json` wrote.

        >>> Element.from_json({"tag": "input", "children": [{"tag": "layer"}]}).children[0].tag
        'layer'
        """
        children = tuple(cls.from_json(child) for child in shown.get("children", ()))
        return cls(shown["tag"], shown.get("attributes", {}), shown.get("text", ""), children)


def input_text(element: Element) -> str:
    """Write an element as the one line of XML that an executable reads on standard input.

    >>> input_text(Element("input", {"count": "24", "name": "a<b"}))
    '<input count="24" name="a&lt;b"/>'
    >>> input_text(Element("input", {}, "", (Element("layer", {"sld": "3.47"}, "oxide"),)))
    '<input><layer sld="3.47">oxide</layer></input>'
    """
    attributes = "".join([f' {name}="{_escaped(_IN_ATTRIBUTE, value)}"' for name, value in element.attributes.items()])
    if not element.text and not element.children:
        return f"<{element.tag}{attributes}/>"
    inside = _escaped(_IN_TEXT, element.text) + "".join([input_text(child) for child in element.children])
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def _escaped(special: re.Pattern[str], text: str) -> str:
    """Write the special characters of a text as entities.

    >>> _escaped(_IN_ATTRIBUTE, 'a "<b>" & c')
    'a &quot;&lt;b&gt;&quot; &amp; c'
    """
    return special.sub(lambda match: _ENTITIES[match[0]], text)
