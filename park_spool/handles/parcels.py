"""A drafted session as it is sent: its XML, and the files that it names by their paths here.

A path is one of this program's: relative to its working folder, or absolute. A file under one of the site's data roots
stays where it is; any other goes along, under its name. `package:` stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

from park_spool.errors import DataError, SessionError
from park_spool.places import Places
from park_spool.sessions.data import DATA, PACKAGE
from park_spool.sessions.element import Element
from park_spool.sessions.session import Group, JobList, Session
from park_spool.sessions.writing import to_xml
from park_spool.sources.paths import split
from park_spool.submit import Parcel


def parcel(session: Session, places: Places) -> Parcel:
    """Return a draft with its files. Raises DataError for a file that is not there, SessionError for odd values."""
    files = _Files(places)
    groups = tuple(_group(group, files.href) for group in session.groups)
    sent = replace(session, groups=groups)
    try:
        xml = to_xml(sent)
    except ValueError as error:
        raise SessionError(f"{error}; nothing was sent") from error
    name = f"{name_of(session)}.xml"
    return Parcel(Path(name), name, xml, files.sent or None)


def name_of(session: Session) -> str:
    """Name a draft: as its user does, else after its first command.

    >>> name_of(Session.of("reflectivity/fit")), name_of(Session.of("reflectivity/fit", name="film in D2O/7"))
    ('fit', 'film in D2O-7')
    """
    name = session.attributes.get("name") or (session.groups[0].task.command if session.groups else "")
    return "".join(letter if letter.isprintable() and letter != "/" else "-" for letter in name)[:80] or "session"


def _group(group: Group, href: Callable[[str], str]) -> Group:
    data = tuple(replace(ref, href=href(ref.href)) for ref in group.data)
    return replace(group, data=data, joblists=tuple(_joblist(joblist, href) for joblist in group.joblists))


def _joblist(joblist: JobList, href: Callable[[str], str]) -> JobList:
    if joblist.scan is not None:
        return replace(joblist, scan=replace(joblist.scan, template=_element(joblist.scan.template, href)))
    return replace(joblist, inputs=tuple(_element(element, href) for element in joblist.inputs))


def _element(element: Element, href: Callable[[str], str]) -> Element:
    if not element.children:
        return element
    children = tuple(
        replace(child, attributes={**child.attributes, "href": href(child.attributes.get("href", ""))})
        if child.tag == DATA
        else child
        for child in element.children
    )
    return replace(element, children=children)


class _Files:
    """The files that go along, each under a name of its own."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._names: dict[Path, str] = {}

    @property
    def sent(self) -> dict[str, Path]:
        return {name: path for path, name in self._names.items()}

    def href(self, given: str) -> str:
        """Return what stands for a file in the session that is sent."""
        source = split(given)
        if given.startswith(PACKAGE) or (source is not None and source[0] in self._places.sources):
            return given
        path = Path(given).expanduser().absolute()
        if any(path.is_relative_to(root) for root in self._places.roots):
            return str(path)
        if not path.is_file():
            raise DataError(f"there is no file {given!r} (looked for {path}); nothing was sent")
        if path not in self._names:
            self._names[path] = self._free(path.name)
        return self._names[path]

    def _free(self, name: str) -> str:
        stem, suffix, number = PurePath(name).stem, PurePath(name).suffix, 1
        taken = {*self._names.values(), "session.xml"}
        while name in taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        return name
