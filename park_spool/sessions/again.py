"""A session once more: with other inputs, or from fits that it has found. Pure.

From fits a group has one job for each of them, with the input of that job and what it found as start values over it; a
group without one stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from park_spool.errors import SessionError
from park_spool.job_names import read_one
from park_spool.sessions.element import Element
from park_spool.sessions.session import Group, JobList, Session

Found = tuple[str, Mapping[str, str]]  # a job, and its start values


def from_fits(session: Session, found: Iterable[Found]) -> Session:
    """Return the session that goes on from fits: one job for each. Raises IndexError for a job that it has not.

    >>> from park_spool.sessions.session import Session
    >>> drafted = Session.of("reflectivity/fit", starts=48, inputs={"scale": 1})
    >>> again = from_fits(drafted, [("1.1.7", {"film_thickness": "258.9", "scale": "0.87"})])
    >>> again.sizes(), again.groups[0].joblists[0].input(1).attributes
    ({(1, 1): 1}, {'scale': '0.87', 'seed': '7', 'film_thickness': '258.9'})
    """
    by_group: dict[int, list[tuple[int, Element]]] = {}
    for job, values in found:
        group, joblist, number = read_one(job)
        element = session.groups[group - 1].joblists[joblist - 1].input(number)
        by_group.setdefault(group, []).append((joblist, with_values(element, values)))
    groups = tuple(
        _group(group, by_group[number]) if number in by_group else group
        for number, group in enumerate(session.groups, 1)
    )
    is_all = len(by_group) == len(session.groups)
    return replace(session, groups=groups, after="" if is_all else session.after)


def _group(group: Group, elements: list[tuple[int, Element]]) -> Group:
    first = group.joblists[elements[0][0] - 1]
    inputs = tuple(element for _, element in elements)
    return replace(group, joblists=(JobList(first.name, first.priority, len(inputs), inputs),), after="")


def with_values(element: Element, values: Mapping[str, str]) -> Element:
    """Return an input with attributes set, whatever it said of them before."""
    return replace(element, attributes={**element.attributes, **values})


def changed(session: Session, values: Mapping[str, str]) -> Session:
    """Return the session with attributes set in every input. Raises SessionError for one that a scan varies.

    >>> from park_spool.sessions.session import Session
    >>> drafted = changed(Session.of("tester/noop", starts=2), {"x": "3"})
    >>> drafted.groups[0].joblists[0].input(2).attributes
    {'x': '3', 'seed': '2'}
    """
    groups = tuple(
        replace(group, joblists=tuple(_changed(joblist, values) for joblist in group.joblists))
        for group in session.groups
    )
    return replace(session, groups=groups)


def _changed(joblist: JobList, values: Mapping[str, str]) -> JobList:
    if joblist.scan is None:
        return replace(joblist, inputs=tuple(with_values(element, values) for element in joblist.inputs))
    for axis in joblist.scan.axes:
        if axis.name in values:
            raise SessionError(
                f"{axis.name!r} is an axis of the scan of job list {joblist.name!r}: it cannot be set for all its jobs"
            )
    return replace(joblist, scan=replace(joblist.scan, template=with_values(joblist.scan.template, values)))
