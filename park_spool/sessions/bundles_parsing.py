"""Patterns: an <input> whose <data> names many files of a source stands for one input for each of them.

    <input x='1'><data name='film' href='beamline:/run7/*.ort'/></input>
      ─► <input x='1'><data name='film' href='beamline:/run7/frame2.ort'/></input>
         <input x='1'><data name='film' href='beamline:/run7/frame10.ort'/></input>

Owns: which files those are, in which order, and how many there may be. Pure: what a pattern stands for is told by
`names`. Assumes: the input was checked (joblist_parsing), so its patterns are of sources, and whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import commonpath
from typing import NamedTuple

from park_spool.catalog.suggestions import quoted
from park_spool.errors import PermanentError, SessionError
from park_spool.places import Names
from park_spool.sessions.data import DATA, is_pattern
from park_spool.sessions.datasets import DATASET
from park_spool.sessions.element import Element
from park_spool.sessions.fields import reject
from park_spool.sessions.xml_tree import Limits, Node
from park_spool.sources.paths import clean, split

_DIGITS = re.compile(r"([0-9]+)")


class Bundle(NamedTuple):
    """One <input> as written: its <data> that is a pattern, and the hrefs that stand for it; or neither."""

    node: Node
    data: Node | None = None
    hrefs: Sequence[str] = ()

    @property
    def size(self) -> int:
        return 1 if self.data is None else len(self.hrefs)

    def elements(self) -> Iterator[Element]:
        """Yield the inputs that it stands for."""
        whole = self.node.element()
        if self.data is None:
            yield whole
            return
        before = next(place for place, child in enumerate(self.node.children) if child is self.data)
        labels = {} if DATASET in whole.attributes else _labels(self.hrefs)
        for href in self.hrefs:
            one = Element(DATA, {**self.data.attributes, "href": href}, whole.children[before].text)
            label = {DATASET: labels[href]} if href in labels else {}
            children = (*whole.children[:before], one, *whole.children[before + 1 :])
            yield Element(whole.tag, {**whole.attributes, **label}, whole.text, children)


@dataclass(slots=True)
class Bundles:
    """What the patterns of one session stand for; without `names` each stands for itself."""

    names: Names | None
    limits: Limits
    _known: dict[str, Sequence[str]] = field(default_factory=dict)
    _elements: int = 0

    def read(self, node: Node) -> Bundle:
        """Read an <input>; SessionError with the place if what its pattern stands for cannot be run."""
        found = [child for child in node.children if child.tag == DATA and is_pattern(_href(child))]
        if not found:
            return Bundle(node)
        data = found[0]
        if len(found) > 1:
            reject(found[1], f"a second pattern in one <input>; expected one, the first is in line {data.line}")
        if "sha256" in data.attributes:
            reject(data, "sha256 beside a pattern, which stands for many files; expected it beside the href of one")
        hrefs = self._hrefs(data)
        self._count(data, len(hrefs) * _elements(node))
        return Bundle(node, data, hrefs)

    def _hrefs(self, data: Node) -> Sequence[str]:
        href = _href(data)
        if href not in self._known:
            if len(self._known) >= self.limits.max_patterns:
                reject(data, f"more than {self.limits.max_patterns} different patterns in one session")
            self._known[href] = self._asked(data, href)
        return self._known[href]

    def _asked(self, data: Node, href: str) -> Sequence[str]:
        if self.names is None:
            return (href,)
        name = href.partition(":")[0]
        try:
            hrefs = [f"{name}:{clean(path)}" for path in sorted(set(self.names(href)), key=natural)]
        except PermanentError as error:
            raise SessionError(f"<{DATA}>: href={quoted(href)}: {error}", data.line, data.column) from error
        if not hrefs:
            reject(data, f"href={quoted(href)} matches no file; expected a pattern of files that are there")
        if len(hrefs) > self.limits.max_jobs:
            most = f"more than the {self.limits.max_jobs:,} jobs allowed"
            reject(data, f"href={quoted(href)} stands for {len(hrefs):,} files, {most}")
        return hrefs

    def _count(self, data: Node, elements: int) -> None:
        """Bound what comes of a session as a file is bounded that has everything written out."""
        self._elements += elements
        if self._elements > self.limits.max_elements:
            most = f"more than the {self.limits.max_elements:,} elements allowed"
            reject(data, f"up to here the patterns stand for {self._elements:,} elements, {most}; write them narrower")


def natural(path: str) -> list[list[str | int]]:
    """Give the key that sorts paths as people do: folder by folder, and numbers by their values.

    >>> sorted(["/run7/frame10.ort", "/run7/frame2.ort", "/run10/a", "/run7-b/a"], key=natural)
    ['/run7/frame2.ort', '/run7/frame10.ort', '/run7-b/a', '/run10/a']
    """
    parts = [_DIGITS.split(part) for part in path.split("/")]
    # Between two texts stands a number, always. Last the path itself: frame1 and frame01 are two files.
    keys: list[list[str | int]] = [
        [int(piece) if place % 2 else piece for place, piece in enumerate(part)] for part in parts
    ]
    return [*keys, [path]]


def _labels(hrefs: Sequence[str]) -> Mapping[str, str]:
    """Name data sets by what their paths differ in, where the names of files alone would not tell them apart.

    >>> _labels(["beamline:/run7/film.ort", "beamline:/run8/film.ort"])
    {'beamline:/run7/film.ort': 'run7/film.ort', 'beamline:/run8/film.ort': 'run8/film.ort'}
    >>> _labels(["beamline:/run7/film.ort", "beamline:/run8/gold.ort"])
    {}
    """
    paths = {href: PurePosixPath((split(href) or ("", ""))[1]) for href in hrefs}
    if len({path.name for path in paths.values()}) == len(paths):
        return {}
    shared = len(PurePosixPath(commonpath([path.parent for path in paths.values()])).parts)
    return {href: "/".join(path.parts[shared:]) for href, path in paths.items()}


def _href(data: Node) -> str:
    return data.attributes.get("href", "").strip()


def _elements(node: Node) -> int:
    return 1 + sum(_elements(child) for child in node.children)
