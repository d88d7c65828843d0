"""Which data set a job is about, by its output, its input, and the data of its own."""

from __future__ import annotations

import pytest

from park_spool.sessions import datasets
from park_spool.sessions.element import Element
from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import DataRef, Group, JobList, Task


def data(name: str, href: str) -> Element:
    return Element("data", {"name": name, "href": href})


OWN = Element("input", {}, "", (Element("layer"), data("frame", " frames/f17.dat ")))
TWO = Element("input", {}, "", (data("a", "a.dat"), data("b", "b.dat")))
SAID = '{"dataset": "said"}'


@pytest.mark.parametrize(
    ("element", "output", "expected"),
    [
        (OWN, "{}", "f17.dat"),
        (OWN, SAID, "said"),
        (OWN, '8.5\n{"dataset": "said"}', "said"),
        (OWN, '{"d\\u0061taset": "said"}', "said"),
        (OWN, '<reply dataset="said"/>', "said"),
        (OWN, '{"dataset": null}', "f17.dat"),
        (OWN, "dataset: said", "f17.dat"),
        (Element("input", {"dataset": "x"}, "", OWN.children), "", "x"),
        (Element("input", {"dataset": ""}, "", OWN.children), "", "f17.dat"),
        (Element("input", {}, "", (data("d", "package:refnx/analysis/tests/c.txt"),)), "", "c.txt"),
        (Element("input", {}, "", (data("d", "/"),)), "", None),
        (TWO, "", None),
        (Element("input"), "{}", None),
    ],
)
def test_the_output_comes_before_the_input_and_the_attribute_before_the_data(
    element: Element, output: str, expected: str | None
) -> None:
    assert datasets.of_job(JobList("fits", 0, 3, (element,)), 3, output) == expected


def test_whether_jobs_of_a_list_are_about_data_sets_is_known_without_looking_at_each() -> None:
    axis, plain = Axis("x", ("1", "2")), Element("input")
    assert datasets.are_in(JobList("a", 0, 2, (plain, OWN)))
    assert not datasets.are_in(JobList("a", 0, 2, (plain, TWO)))
    assert not datasets.are_in(JobList("a", 0, 2, (), Scan((axis,), plain)))
    assert datasets.are_in(JobList("a", 0, 2, (), Scan((axis,), OWN)))
    assert datasets.are_in(JobList("a", 0, 2, (), Scan((axis, Axis("dataset", ("left",))), plain)))


def test_where_the_data_of_a_job_is() -> None:
    group = Group("g", Task("t/t", "t", "t"), (DataRef("frame", "g.dat"), DataRef("film", "film.txt")), None, ())
    joblists = (JobList("a", 0, 2, (OWN, Element("input"))),)
    group = Group(group.name, group.task, group.data, None, joblists)
    assert datasets.hrefs(group, 1, 1) == {"frame": "frames/f17.dat", "film": "film.txt"}
    assert datasets.hrefs(group, 1, 2) == {"frame": "g.dat", "film": "film.txt"}
    assert datasets.hrefs(group, 2, 9) == {"frame": "g.dat", "film": "film.txt"}
