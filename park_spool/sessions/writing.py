"""A session's values as the XML of its file: what `parse_session` reads back as the same session.

    Session ── Element ── bytes

For sessions that are made by a program, and for those that are sent once more with something changed. What one element
holds is written by `input_text`; here it is only laid out in lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from park_spool.sessions.element import Element, input_text
from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import DataRef, Group, JobList, Session, Task

HEADER = "<?xml version='1.0' encoding='UTF-8'?>\n"


def to_xml(session: Session) -> bytes:
    """Write a session. Raises ValueError if an axis has values that no session can list."""
    return (HEADER + "".join(_lines(document(session), ""))).encode()


def _lines(element: Element, indent: str) -> Iterator[str]:
    """Lay an element out in lines, where white space means nothing: not inside an input."""
    if element.tag == "input" or not element.children:
        yield f"{indent}{input_text(element)}\n"
        return
    yield f"{indent}{input_text(Element(element.tag, element.attributes)).removesuffix('/>')}>\n"
    for child in element.children:
        yield from _lines(child, f"{indent} ")
    yield f"{indent}</{element.tag}>\n"


def document(session: Session) -> Element:
    """Make the tree of a session: known fields as they are now, other attributes as they came."""
    known = {"user": session.user, "email": session.email, "priority": str(session.priority)}
    known |= {"after": session.after} if session.after else {}
    others = {name: text for name, text in session.attributes.items() if name != "after"}
    return Element("session", {**others, **known}, "", tuple(map(_group, session.groups)))


def _group(group: Group) -> Element:
    parts = []
    if group.data:
        parts.append(Element("dataSet", {}, "", tuple(map(_data, group.data))))
    if group.reduce is not None:
        parts.append(Element("reduce", {"classname": group.reduce, **group.reduce_options}))
    parts.append(_task(group.task))
    after = {"after": group.after} if group.after else {}
    return Element("group", {"name": group.name, **after}, "", (*parts, *map(_joblist, group.joblists)))


def _data(ref: DataRef) -> Element:
    optional = {"sha256": ref.sha256, "via": ref.via}
    given = {name: value for name, value in optional.items() if value is not None}
    return Element("data", {"name": ref.name, "href": ref.href, **given})


def _task(task: Task) -> Element:
    return Element("task", {**task.attributes, "cmd": task.cmd}, "", task.parameters)


def _joblist(joblist: JobList) -> Element:
    attributes = {"name": joblist.name, "priority": str(joblist.priority), "cnt": str(joblist.size)}
    attributes |= {"order": "sequential"} if joblist.is_sequential else {}
    if joblist.scan is None:
        return Element("joblist", attributes, "", joblist.inputs)
    template = joblist.scan.template
    shared = () if template == Element("input") else (template,)
    return Element("joblist", attributes, "", (_scan(joblist.scan), *shared))


def _scan(scan: Scan) -> Element:
    return Element("scan", {}, "", tuple(map(_axis, scan.axes)))


def _axis(axis: Axis) -> Element:
    if axis.values is None:
        numbers = {name: repr(getattr(axis, name)) for name in ("start", "stop", "count")}
        return Element("axis", {"name": axis.name, **numbers, "spacing": axis.spacing})
    for value in axis.values:
        if not value or set(value) & set(" \t\r\n,"):
            raise ValueError(f"axis {axis.name!r}: {value!r} cannot stand in a list of values; write inputs instead")
    return Element("axis", {"name": axis.name, "values": " ".join(axis.values)})
