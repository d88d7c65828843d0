"""Which data set a job is about, by its output and its input: what a batch has one row for. Pure.

The first of these that says something: `dataset` in the output; the attribute `dataset` of the input; the last part of
the `href` of the one `<data>` that the input has of its own. A data set of the whole group tells no job from another.
"""

from __future__ import annotations

from collections.abc import Mapping

from park_spool.attributes import attributes
from park_spool.sessions.element import Element
from park_spool.sessions.session import JobList

ATTRIBUTE = "dataset"
LONGEST = 200


def dataset_of(output: str, element: Element | None) -> str | None:
    """Name a job's data set; None if nothing does. `element` is its input, None if no input of its list says one.

    >>> dataset_of('{"dataset": "frame 3"}', None), dataset_of("{}", Element("input", {"dataset": "film"}))
    ('frame 3', 'film')
    >>> dataset_of("", Element("input", {}, "", (Element("data", {"name": "d", "href": "run7/a.ort"}),)))
    'a.ort'
    """
    said = _of_output(output) if ATTRIBUTE in output else None
    return said or (_of_input(element) if element is not None else None)


def says_dataset(joblist: JobList) -> bool:
    """Say whether inputs of a job list can name a data set, so that they need not be made where they cannot."""
    scan = joblist.scan
    if scan is not None:
        return any(axis.name == ATTRIBUTE for axis in scan.axes) or _of_input(scan.template) is not None
    return any(_of_input(element) is not None for element in joblist.inputs)


def _of_output(output: str) -> str | None:
    return _name(attributes(output).values.get(ATTRIBUTE))


def _of_input(element: Element) -> str | None:
    return _name(element.attributes.get(ATTRIBUTE)) or _of_data(
        [child.attributes for child in element.children if child.tag == "data"]
    )


def _of_data(data: list[Mapping[str, str]]) -> str | None:
    return _name(data[0].get("href", "").rstrip("/").rpartition("/")[2]) if len(data) == 1 else None


def _name(value: object) -> str | None:
    """Take a text or a whole number as a name.

    >>> _name(17), _name(""), _name(["a"])
    ('17', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text[:LONGEST] or None
