"""Which data set a job is about, and where its data sets are: what makes a batch out of the jobs of a group.

A job is about the data set that its output names (`dataset`), else that its input names (the attribute `dataset`), else
the one `<data>` that its input has of its own, by the last part of the href; else about none. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from park_spool.attributes import numbers
from park_spool.sessions.data import DATA, is_remote, may_be_far
from park_spool.sessions.element import Element
from park_spool.sessions.session import Group, JobList, Session

DATASET = "dataset"


def of_job(joblist: JobList, job: int, output: str) -> str | None:
    """Return the data set that a job is about, once it has said something; None if it is about none.

    >>> joblist = JobList("fits", 0, 1, (Element("input", {"dataset": "frame 17"}),))
    >>> of_job(joblist, 1, "{}"), of_job(joblist, 1, '{"dataset": "frame 18"}')
    ('frame 17', 'frame 18')
    """
    named = of_output(output)
    return named if named is not None else of_input(joblist.input(job))


def of_output(output: str) -> str | None:
    """Return the data set that an output names; most outputs need not be parsed for that."""
    return of_values(numbers(output).values) if DATASET in output or "\\" in output else None


def of_values(said: Mapping[str, object]) -> str | None:
    """Return the data set that an output names.

    >>> of_values({"dataset": 17}), of_values({"dataset": ""}), of_values({"dataset": ["a"]}), of_values({})
    ('17', None, None, None)
    """
    name = said.get(DATASET)
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        return None
    return str(name).encode("utf-8", "replace").decode("utf-8") or None


def of_input(element: Element) -> str | None:
    """Return the data set that an input is about.

    >>> of_input(Element("input", {"x": "1"}, "", (Element("data", {"name": "d", "href": "frames/f17.dat"}),)))
    'f17.dat'
    """
    if element.attributes.get(DATASET):
        return element.attributes[DATASET]
    own = [child for child in element.children if child.tag == DATA]
    return PurePosixPath(_href(own[0])).name or None if len(own) == 1 else None


def are_in(joblist: JobList) -> bool:
    """Say whether jobs of a list are about data sets by their inputs, without looking at each.

    >>> are_in(JobList("noops", 0, 10**7, (Element("input"),)))
    False
    """
    if joblist.scan is None:
        return any(of_input(element) is not None for element in joblist.inputs)
    named = any(axis.name == DATASET for axis in joblist.scan.axes)
    return named or of_input(joblist.scan.template) is not None


def hrefs(group: Group, joblist: int, job: int) -> dict[str, str]:
    """Return where the data sets of a job are, by their names: the group's and its own, which win."""
    found = {ref.name: ref.href for ref in group.data}
    if 1 <= joblist <= len(group.joblists) and 1 <= job <= group.joblists[joblist - 1].size:
        own = group.joblists[joblist - 1].input(job).children
        found |= {child.attributes.get("name", "").strip(): _href(child) for child in own if child.tag == DATA}
    return found


def reads_sources(session: Session, has_centre: bool = False) -> bool:
    """Say whether any job of a session reads data that are to be fetched; through a data centre all of packages are."""
    is_far = may_be_far if has_centre else is_remote
    return any(is_far(href) for group in session.groups for href in _all_hrefs(group))


def _all_hrefs(group: Group) -> Iterator[str]:
    yield from (ref.href for ref in group.data)
    for joblist in group.joblists:
        elements = joblist.inputs if joblist.scan is None else (joblist.scan.template,)
        yield from (_href(child) for element in elements for child in element.children if child.tag == DATA)


def _href(data: Element) -> str:
    return data.attributes.get("href", "").strip()
